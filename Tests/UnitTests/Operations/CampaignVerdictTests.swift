import Base
import Testing

@testable import Operations

@Suite("What follows from how a campaign stands") struct CampaignVerdictTests {
    private static let now = Timestamp(microseconds: 1_800_000_000_000_000)

    private static func group(
        _ number: Int, _ members: Int, planned: Int = 0, upToDate: Int = 0, leftOut: Int = 0,
        _ counts: [TaskState: Int] = [:], began: Bool = true
    ) -> CampaignGroup {
        CampaignGroup(
            number: number, percent: 50, bound: 0, started: began ? now : nil, members: members, planned: planned,
            upToDate: upToDate, leftOut: leftOut, counts: counts)
    }

    private static func verdict(
        _ groups: [CampaignGroup], rules: CampaignRules = CampaignRules(success: 90, error: 20, sample: 5),
        newcomers: Bool = false
    ) -> CampaignVerdict {
        Campaign(
            id: CampaignID(now: now), title: "", release: ReleaseID(now: now), target: .null, terms: OperationTerms(),
            rules: rules, takesNewcomers: newcomers, creator: PrincipalID(now: now), creatorName: "",
            approverName: nil, state: .running, reason: nil, reasonGroup: nil, created: now, started: now,
            finished: nil, groups: groups, rollback: nil,
            sponsor: CampaignSponsor(id: PrincipalID(now: now), home: TenantID(now: now), kind: "user"),
            isEnding: false
        ).verdict(at: now)
    }

    @Test("groups begin, go on and end by their thresholds")
    func thresholds() {
        let next = Self.group(2, 10, planned: 10, began: false)
        #expect(Self.verdict([Self.group(1, 10, planned: 10, began: false)]) == .start(1))
        #expect(Self.verdict([Self.group(1, 10, planned: 4, [.queued: 6]), next]) == .fill(1))
        #expect(Self.verdict([Self.group(1, 10, [.queued: 2, .succeeded: 8]), next]) == .wait)
        #expect(Self.verdict([Self.group(1, 10, [.queued: 1, .succeeded: 9]), next]) == .start(2))
        #expect(Self.verdict([Self.group(1, 10, upToDate: 9, [.queued: 1]), next]) == .start(2))
        #expect(Self.verdict([Self.group(1, 10, leftOut: 1, [.queued: 1, .succeeded: 8]), next]) == .wait)
        #expect(Self.verdict([Self.group(1, 10, leftOut: 10), next]) == .start(2))
        #expect(Self.verdict([Self.group(1, 0), next]) == .start(2))
        // Four of five failed is enough; one of four is no sample.
        #expect(Self.verdict([Self.group(1, 10, [.succeeded: 3, .failed: 1, .queued: 6]), next]) == .wait)
        #expect(
            Self.verdict([Self.group(1, 10, [.succeeded: 4, .timedOut: 1, .queued: 5]), next])
                == .pause(.errorThreshold, group: 1))
        #expect(
            Self.verdict([Self.group(1, 10, [.succeeded: 8, .expired: 1, .cancelled: 1]), next])
                == .pause(.successThreshold, group: 1))
        #expect(Self.verdict([Self.group(1, 2, [.failed: 2])]) == .close, "nobody comes after it")
        #expect(Self.verdict([Self.group(1, 2, [.failed: 2]), next]) == .pause(.successThreshold, group: 1))
        #expect(Self.verdict([Self.group(1, 2, [.succeeded: 2])], newcomers: true) == .wait)
        let silent = CampaignRules(success: 0, error: nil, sample: 1)
        #expect(Self.verdict([Self.group(1, 4, [.failed: 3, .queued: 1]), next], rules: silent) == .start(2))
    }

    @Test("what was forgiven is not held against a group again")
    func forgiven() {
        var group = Self.group(1, 20, [.failed: 5, .succeeded: 5, .queued: 10])
        #expect(Self.verdict([group]) == .pause(.errorThreshold, group: 1))
        group.forgiven = .init(failures: 5, judged: 10)
        #expect(Self.verdict([group]) == .wait)
        group.counts = [.failed: 6, .succeeded: 9, .queued: 5]
        #expect(Self.verdict([group]) == .pause(.errorThreshold, group: 1))
        // One of the forgiven succeeded late.
        group.counts = [.failed: 4, .succeeded: 11, .queued: 5]
        #expect(Self.verdict([group]) == .wait)
    }

    @Test("shares have the size that they should, whoever the devices are")
    func shares() {
        let campaign = CampaignID(now: Self.now)
        for count in [1, 2, 3, 10, 999, 10_000] {
            let hashes = (0..<count).map { _ in CampaignShares.hash(DeviceID(now: Self.now), in: campaign) }
            let bounds = CampaignShares.bounds([1, 9, 40, 50], hashes.sorted())
            var sizes = [0, 0, 0, 0]
            for hash in hashes { sizes[CampaignShares.share(of: hash, bounds)] += 1 }
            let ends = [1, 10, 50, 100].map { (count * $0 + 99) / 100 }
            #expect(sizes == [ends[0], ends[1] - ends[0], ends[2] - ends[1], ends[3] - ends[2]], "\(count)")
        }
        let bounds = CampaignShares.bounds([10, 90], [])
        let many = (0..<10_000).map { _ in CampaignShares.hash(DeviceID(now: Self.now), in: campaign) }
        let first = many.filter { CampaignShares.share(of: $0, bounds) == 0 }.count
        #expect((800...1200).contains(first), "without devices the numbers are shared evenly")
        let device = DeviceID(now: Self.now)
        #expect(CampaignShares.hash(device, in: campaign) == CampaignShares.hash(device, in: campaign))
        #expect(CampaignShares.hash(device, in: campaign) != CampaignShares.hash(device, in: CampaignID(now: Self.now)))
        #expect(many.allSatisfy { $0 >= 0 })
    }
}
