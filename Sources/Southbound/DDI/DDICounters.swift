import Base

/// The instruments of the update clients' side.
struct DDICounters: Sendable {
    let polls: Counter
    let feedback: Counter
    let late: Counter
    let downloads: Counter
    private let metrics: Metrics

    init(_ metrics: Metrics) {
        self.metrics = metrics
        polls = metrics.counter("tidegate_ddi_polls_total", "Polls of update clients that were answered.")
        feedback = metrics.counter("tidegate_ddi_feedback_total", "Words of update clients about their tasks.")
        late = metrics.counter(
            "tidegate_ddi_late_total", "Words of update clients that a task of theirs ended otherwise than is known.")
        downloads = metrics.counter("tidegate_downloads_total", "Downloads of artifacts that began.")
    }

    /// The counter of requests that were refused with this code, of which there are few.
    func refused(_ code: String) -> Counter {
        metrics.counter("tidegate_ddi_refused_total", "Requests of update clients that were refused.", ["code": code])
    }
}
