import Base

/// The instruments of the listeners and the device HTTP side.
struct SouthboundCounters: Sendable {
    let accepted: Counter
    let full: Counter
    let sourceFull: Counter
    let sourceBusy: Counter
    let evicted: Counter
    let handshakes: Counter
    let resumed: Counter
    let handshakeFailures: Counter
    let handshakeTimeouts: Counter
    let ended: Counter
    let displaced: Counter
    let requests: Counter
    let refusals: Counter
    let malformed: Counter
    let requestTimeouts: Counter
    let writeTimeouts: Counter
    let downloadBytes: Counter
    let brokenDownloads: Counter
    private let metrics: Metrics

    init(_ metrics: Metrics) {
        self.metrics = metrics
        func turnedAway(_ reason: String) -> Counter {
            metrics.counter(
                "tidegate_connections_turned_away_total", "Connections that were closed before a handshake.",
                ["reason": reason])
        }
        accepted = metrics.counter("tidegate_connections_accepted_total", "Connections from devices that were let in.")
        full = turnedAway("full")
        sourceFull = turnedAway("source_connections")
        sourceBusy = turnedAway("source_handshakes")
        evicted = turnedAway("evicted")
        handshakes = metrics.counter("tidegate_handshakes_total", "TLS handshakes with devices that succeeded.")
        resumed = metrics.counter(
            "tidegate_handshakes_resumed_total", "TLS sessions that were resumed and checked again.")
        handshakeFailures = metrics.counter("tidegate_handshake_failures_total", "TLS handshakes that failed.")
        handshakeTimeouts = metrics.counter(
            "tidegate_handshake_timeouts_total", "TLS handshakes that took too long.")
        ended = metrics.counter(
            "tidegate_connections_ended_total", "Connections closed because their device's access ended.")
        displaced = metrics.counter(
            "tidegate_connections_displaced_total", "Connections closed for a newer one of the same device.")
        requests = metrics.counter("tidegate_device_requests_total", "HTTP requests from devices.")
        refusals = metrics.counter("tidegate_device_requests_refused_total", "HTTP requests from devices that failed.")
        malformed = metrics.counter(
            "tidegate_device_requests_malformed_total", "Connections closed because of broken HTTP.")
        requestTimeouts = metrics.counter(
            "tidegate_device_request_timeouts_total", "HTTP connections closed because a request took too long.")
        writeTimeouts = metrics.counter(
            "tidegate_device_write_timeouts_total", "HTTP connections closed because the peer did not read.")
        downloadBytes = metrics.counter("tidegate_download_bytes_total", "Bytes of artifacts that devices were sent.")
        brokenDownloads = metrics.counter(
            "tidegate_downloads_broken_total", "Downloads that ended because the artifact could not be read.")
    }

    /// The counter of certificates refused for this reason.
    func certificateRefused(_ reason: String) -> Counter {
        metrics.counter(
            "tidegate_certificates_refused_total", "Device certificates that were refused.", ["reason": reason])
    }

    /// The counter of HTTP requests that were refused with this code, of which there are few.
    func refused(_ code: String) -> Counter {
        metrics.counter(
            "tidegate_device_requests_refused_by_code_total", "HTTP requests from devices that were refused, and why.",
            ["code": code])
    }

    /// Shows what is open now.
    func show(_ counts: SourceCounts, _ registry: ConnectionRegistry, _ bodies: BodyBudget) {
        metrics.gauge("tidegate_connections_open", "Connections from devices that are open.") { Double(counts.open) }
        metrics.gauge("tidegate_handshakes_open", "TLS handshakes under way.") { Double(counts.handshakes) }
        metrics.gauge("tidegate_devices_connected", "Devices with at least one connection.") {
            Double(registry.deviceCount)
        }
        metrics.gauge("tidegate_device_body_bytes", "Bytes of unfinished bodies from devices.") { Double(bodies.bytes) }
    }
}
