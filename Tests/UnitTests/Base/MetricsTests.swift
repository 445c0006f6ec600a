import Base
import Testing

@Suite struct MetricsTests {
    @Test("the text has each family once, in the order of names, with its members")
    func text() {
        let metrics = Metrics()
        metrics.counter("b_total", "Bees.", ["kind": "a\"b"]).add(2)
        metrics.counter("b_total", "Bees.", ["kind": "c"]).add()
        metrics.gauge("a", "As.").set(1.5)
        metrics.gauge("c", "Cs.") { 3 }
        #expect(
            metrics.text() == """
                # HELP a As.
                # TYPE a gauge
                a 1.5
                # HELP b_total Bees.
                # TYPE b_total counter
                b_total{kind="a\\"b"} 2
                b_total{kind="c"} 1
                # HELP c Cs.
                # TYPE c gauge
                c 3

                """)
    }

    @Test("asking twice gives the same instrument")
    func same() {
        let metrics = Metrics()
        metrics.counter("x_total", "Xs.").add()
        metrics.counter("x_total", "Xs.").add()
        #expect(metrics.counter("x_total", "Xs.").value == 2)
    }

    @Test("a histogram's buckets are cumulative and its last one holds all")
    func histogram() {
        let metrics = Metrics()
        let histogram = metrics.histogram("h", "Hs.", ["l": "v"], bounds: [1, 2])
        for value in [0.5, 1, 1.5, 9] { histogram.observe(value) }
        #expect(
            metrics.text() == """
                # HELP h Hs.
                # TYPE h histogram
                h_bucket{l="v",le="1"} 2
                h_bucket{l="v",le="2"} 3
                h_bucket{l="v",le="+Inf"} 4
                h_sum{l="v"} 12
                h_count{l="v"} 4

                """)
    }

    @Test("a gauge goes up and down")
    func gauge() {
        let gauge = Gauge()
        gauge.add(2.5)
        gauge.add(-1)
        #expect(gauge.value == 1.5)
    }
}
