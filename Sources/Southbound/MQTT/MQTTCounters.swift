import Base

/// The instruments of the MQTT side.
struct MQTTCounters: Sendable {
    let connections: Gauge
    let messages: Counter
    let values: Counter
    let texts: Counter
    let reports: Counter
    let events: Counter
    let tasks: Counter
    let words: Counter
    let refused: Counter
    let refusedTopics: Counter
    let refusedConnects: Counter
    let violations: Counter
    let throttled: Counter
    let takenOver: Counter
    let writeTimeouts: Counter
    private let metrics: Metrics

    init(_ metrics: Metrics) {
        self.metrics = metrics
        connections = metrics.gauge("tidegate_mqtt_connections", "MQTT connections of admitted devices.")
        messages = metrics.counter("tidegate_mqtt_messages_total", "Telemetry messages taken over MQTT.")
        values = metrics.counter("tidegate_mqtt_values_total", "Values in those messages.")
        texts = metrics.counter(
            "tidegate_mqtt_texts_left_out_total",
            "Text values left out of those messages: text is not kept as telemetry.")
        reports = metrics.counter(
            "tidegate_mqtt_reports_total", "Reported documents, messages with events, and questions taken over MQTT.")
        events = metrics.counter("tidegate_mqtt_events_total", "Events of devices taken over MQTT.")
        tasks = metrics.counter("tidegate_mqtt_tasks_total", "Tasks told to devices over MQTT.")
        words = metrics.counter("tidegate_mqtt_words_total", "What devices said of tasks over MQTT.")
        refused = metrics.counter("tidegate_mqtt_messages_refused_total", "MQTT messages refused for their content.")
        refusedTopics = metrics.counter(
            "tidegate_mqtt_topics_refused_total", "Publications and subscriptions outside a device's own topics.")
        refusedConnects = metrics.counter("tidegate_mqtt_connects_refused_total", "MQTT connections refused.")
        violations = metrics.counter(
            "tidegate_mqtt_violations_total", "MQTT connections closed because they broke the protocol or a limit.")
        throttled = metrics.counter(
            "tidegate_mqtt_throttled_total",
            "Times a connection was not read because its device or tenant was over its rate.")
        takenOver = metrics.counter("tidegate_mqtt_taken_over_total", "MQTT sessions taken over by a newer connection.")
        writeTimeouts = metrics.counter(
            "tidegate_mqtt_write_timeouts_total", "MQTT connections closed because the device did not read.")
    }

    /// The counter of what devices said of tasks that was refused with this code, of which there are few.
    func refusedWords(_ code: String) -> Counter {
        metrics.counter(
            "tidegate_mqtt_words_refused_total", "What devices said of tasks over MQTT that was refused.",
            ["code": code])
    }
}
