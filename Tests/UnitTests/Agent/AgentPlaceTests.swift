import Base
import Testing

@testable import Agent

/// What ModemManager and gpsd say, and what only looks so.
@Suite("The agent's modem and position")
struct AgentPlaceTests {
    private static let modem = """
        {"modem":{"3gpp":{"imei":"351111111111110","operator-code":"26201","operator-name":"Telekom.de",
        "registration-state":"home"},"generic":{"access-technologies":["lte"],"model":"EC25",
        "signal-quality":{"recent":"yes","value":"67"},"state":"connected"}}}
        """

    @Test("signal, operator and technology are read from mmcli's JSON")
    func cellular() {
        let reading = ModemReader.reading(in: Array(Self.modem.utf8))
        #expect(reading.values == ["host.cellular.signal": 67])
        #expect(
            reading.facts == [
                "operator": "Telekom.de", "operatorCode": "26201", "registration": "home", "technology": "lte",
                "model": "EC25",
            ])
    }

    @Test(
        "nothing, nonsense and too much are no reading",
        arguments: [
            "", "{", "[]", #"{"modem":[]}"#, #"{"modem":{"generic":{"signal-quality":{"value":"167"}}}}"#,
            #"{"modem":{"generic":{"signal-quality":{"value":"--"},"model":"--","access-technologies":[1]}}}"#,
            #"{"modem":{"3gpp":{"operator-name":"a\u0007b"}}}"#,
            #"{"modem":{"3gpp":{"operator-name":""# + String(repeating: "x", count: 200) + #""}}}"#,
            String(repeating: "[", count: 70_000),
        ])
    func badModem(text: String) {
        let reading = ModemReader.reading(in: Array(text.utf8))
        #expect(reading.values.isEmpty && reading.facts.isEmpty)
    }

    @Test("a fix is a position, with a height when it is one in space")
    func position() {
        let line = #"{"class":"TPV","mode":3,"lat":52.5,"lon":13.25,"altMSL":34.5,"speed":0}"#
        #expect(
            PositionReader.values(in: Array(line.utf8)) == [
                "host.position.latitude": .number(52.5), "host.position.longitude": .number(13.25),
                "host.position.altitude": .number(34.5),
                "host.position.speed": .number(0.0),
            ])
        let flat = #"{"class":"TPV","mode":2,"lat":-33,"lon":151,"alt":5}"#
        #expect(
            PositionReader.values(in: Array(flat.utf8)) == [
                "host.position.latitude": .number(-33.0), "host.position.longitude": .number(151.0),
            ])
    }

    @Test(
        "what is no fix, or lies nowhere, is no position",
        arguments: [
            "", "{", #"{"class":"VERSION"}"#, #"{"class":"TPV","mode":1,"lat":1,"lon":1}"#,
            #"{"class":"TPV","mode":3,"lat":91,"lon":1}"#, #"{"class":"TPV","mode":3,"lat":"1","lon":1}"#,
            #"{"class":"TPV","mode":3,"lat":1e400,"lon":1}"#, #"{"class":"TPV","mode":3,"lon":1}"#,
            String(repeating: "[", count: 70_000),
        ])
    func noPosition(text: String) {
        #expect(PositionReader.values(in: Array(text.utf8)) == nil)
    }

    @Test("only a gpsd on the device itself is asked")
    func loopback() {
        #expect(PositionReader(host: "127.0.0.1", port: 2947) != nil)
        #expect(PositionReader(host: "::1", port: 2947) != nil)
        for host in ["192.0.2.1", "127.example.com", "gps.example.com", "127.0.0", "0.0.0.0", "127.0.0.1.2"] {
            #expect(PositionReader(host: host, port: 2947) == nil, "\(host)")
        }
    }
}
