/// How long a delivery waits between its attempts: five seconds, then four times as long each time, up to six hours.
///
/// The last of twelve attempts comes about two days after the first. Up to half of each wait is chance, so that what
/// failed together does not come back together.
enum Backoff {
    /// The longest wait.
    static let longest = Duration.seconds(6 * 3600)

    /// The wait after this many attempts, given a number from 0 to 1.
    static func wait(after attempts: Int, chance: Double) -> Duration {
        let whole = attempts < 8 ? min(Duration.seconds(5 << (2 * max(attempts - 1, 0))), longest) : longest
        return whole * (1 - min(max(chance, 0), 1) / 2)
    }
}
