import Base

/// What the set-up page shows: how the device stands, and a form; never a secret.
package struct SetupPage: Sendable {
    /// Lines of how the device stands, such as `Server` and its name.
    package var facts: [(name: String, value: String)]
    /// What is entered already, by the form's names.
    package var entered: [String: String]
    /// What to say of the last try.
    package var message: String?

    /// A page of these parts.
    package init(
        facts: [(name: String, value: String)], entered: [String: String], message: String? = nil
    ) {
        (self.facts, self.entered, self.message) = (facts, entered, message)
    }

    /// The page, without scripts and without anything from elsewhere; `token` is the form's.
    package func html(_ token: String) -> String {
        let rows = facts.map { "<tr><th>\($0.name.markupEscaped)</th><td>\($0.value.markupEscaped)</td></tr>" }
        func field(_ name: String, _ label: String, _ hint: String, type: String = "text") -> String {
            let value = type == "password" ? "" : (entered[name] ?? "").markupEscaped
            return """
                <p><label for="\(name)">\(label)</label><br>
                <input id="\(name)" name="\(name)" type="\(type)" value="\(value)" autocomplete="off" size="40"><br>
                <small>\(hint)</small></p>
                """
        }
        let said = message.map { "<p role=\"alert\"><strong>\($0.markupEscaped)</strong></p>" } ?? ""
        return """
            <!doctype html><html lang="en"><head><meta charset="utf-8"><title>Set up this device</title>
            <meta name="viewport" content="width=device-width"></head><body><h1>Set up this device</h1>
            \(said)<table>\(rows.joined())</table>
            <form method="post" action="/"><input type="hidden" name="form" value="\(token.markupEscaped)">
            \(field("server", "Server", "Its name or address with the port, such as fleet.example.com:8444"))
            \(field("tenant", "Organisation", "Its short name, such as acme"))
            \(field("device", "Device", "The name under which it is registered"))
            \(field("token", "Enrolment token", "Shown when the device was registered; good once", type: "password"))
            <p><label for="server-ca">The server's certificate authority</label><br>
            <textarea id="server-ca" name="server-ca" rows="6" cols="66"></textarea><br>
            <small>The file server-ca.pem of the server; leave it empty when the device has it</small></p>
            <p><button>Set up</button></p></form></body></html>

            """
    }
}
