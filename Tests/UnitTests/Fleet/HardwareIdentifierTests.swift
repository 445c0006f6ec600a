import Base
import Testing

@testable import Fleet

@Suite("Hardware identifiers")
struct HardwareIdentifierTests {
    @Test(
        "one number written in two ways is still one number",
        arguments: [
            (HardwareIdentifier.Kind.serial, " acme/a-1007 ", "ACME/A-1007"),
            (.imei, "49-015420-323751-8", "490154203237518"),
            (.mac, "00:1A:2b:3C:4D:5E", "001a2b3c4d5e"),
            (.mac, "001A.2B3C.4D5E", "001a2b3c4d5e"),
            (.mac, "00-1A-2B-FF-FE-3C-4D-5E", "001a2bfffe3c4d5e"),
            (.eid, "8904 9032 1234 5123 4512 3456 7890 1235", "89049032123451234512345678901235"),
            (.radio, "12AB", "000012ab"),
            (.radio, "70B3D57ED0000001", "70b3d57ed0000001"),
            (.msisdn, "+49 30 123-456", "+4930123456"),
        ])
    func normal(kind: HardwareIdentifier.Kind, text: String, value: String) {
        #expect(HardwareIdentifier(kind, text)?.value == value)
    }

    @Test(
        "what breaks the rule of its kind is refused",
        arguments: [
            (HardwareIdentifier.Kind.serial, ""), (.serial, "  "), (.serial, "a b"), (.serial, "é"),
            (.serial, String(repeating: "9", count: 97)), (.imei, "490154203237517"), (.imei, "49015420323751"),
            (.mac, "00:1A:2b:3C:4D"), (.mac, "00:1A:2b:3C:4D:5G"), (.eid, "89049032123451234512345678901236"),
            (.radio, ""), (.radio, "0123456789abcdef0"), (.radio, "xyz"), (.msisdn, "4930123456"), (.msisdn, "+"),
            (.msisdn, "+0123456789"), (.msisdn, "+1234567"), (.msisdn, "+1234567890123456"), (.msisdn, "+49301234a6"),
        ])
    func wrong(kind: HardwareIdentifier.Kind, text: String) {
        #expect(HardwareIdentifier(kind, text) == nil)
    }
}
