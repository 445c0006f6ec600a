import Base

/// Which group of a campaign a device falls into, for groups that share by percentage.
///
/// Every device has a number in every campaign that nobody chooses. The devices that are there at first are cut by its
/// order, so that a share is never empty while there are devices for it; who comes later falls where the cuts are.
enum CampaignShares {
    /// The number of a device in a campaign.
    static func hash(_ device: DeviceID, in campaign: CampaignID) -> Int64 {
        var state: UInt64 = 0
        for word in [campaign.high, campaign.low, device.high, device.low] {
            // The mixing step of SplitMix64 (Steele, Lea and Flood, 2014).
            state = (state ^ word) &+ 0x9E37_79B9_7F4A_7C15
            state = (state ^ (state >> 30)) &* 0xBF58_476D_1CE4_E5B9
            state = (state ^ (state >> 27)) &* 0x94D0_49BB_1331_11EB
            state ^= state >> 31
        }
        return Int64(state >> 1)
    }

    /// The largest number of each share, for devices with these numbers in rising order.
    static func bounds(_ percents: [Int], _ hashes: [Int64]) -> [Int64] {
        var total = 0
        return percents.map { percent in
            total += percent
            guard total < 100 else { return .max }
            // Without devices there is nothing to count, so the numbers themselves are shared.
            guard !hashes.isEmpty else { return .max / 100 * Int64(total) }
            let end = (hashes.count * total + 99) / 100
            return end < hashes.count ? hashes[end - 1] : .max
        }
    }

    /// The share into which a number falls.
    static func share(of hash: Int64, _ bounds: [Int64]) -> Int {
        bounds.firstIndex { hash <= $0 } ?? max(bounds.count - 1, 0)
    }
}
