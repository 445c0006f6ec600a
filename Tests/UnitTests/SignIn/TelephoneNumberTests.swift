import Testing

@testable import SignIn

@Suite("telephone numbers")
struct TelephoneNumberTests {
    @Test(
        "a number is read however it is written",
        arguments: [
            ("+4915123456789", "+4915123456789"), ("+49 151 234 567 89", "+4915123456789"),
            ("+1 (555) 010-0999", "+15550100999"), ("+44/20.7946-0000", "+442079460000"),
        ])
    func reads(typed: String, text: String) { #expect(TelephoneNumber(typed)?.text == text) }

    @Test(
        "what the world can not dial is none",
        arguments: [
            "", "+", "015123456789", "0049151234567", "+0151234567", "+49151", "+12345678901234567", "+49a51234567",
            "+4915123456789\r\nX: y", "+٤٩١٥١٢٣٤٥٦٧٨٩", "+49 151 #234567", String(repeating: "+1", count: 100),
        ])
    func refuses(typed: String) { #expect(TelephoneNumber(typed) == nil) }

    @Test("a number is printed by its end only")
    func prints() throws { #expect("\(try #require(TelephoneNumber("+15550100999")))" == "…999") }
}
