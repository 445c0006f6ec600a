import Access
import Base
import HTTPTypes
import Watch

/// Alerts, and the rules of who is told of them.
extension RouteTable {
    static func alerts(_ services: NorthboundServices) -> [Route] {
        let watch = services.watch
        let all = "/api/v1/tenants/{tenant}/alerts"
        let one = all + "/{alert}"
        return [
            Route(
                .get, all, "listAlerts", "Lists the alerts of the domains that the caller may see, the newest first.",
                needs: .alertRead,
                query: Parameter.paging + [
                    .query("open", .boolean, "Only those that are open, or that are closed."),
                    .query("condition", .choice(AlertCondition.allCases.map(\.rawValue)), "Only those that say this."),
                    .query(
                        "severity", .choice(AlertSeverity.allCases.map(\.name)), "Only those as bad as this, or worse."),
                    .query("quiet", .boolean, "Only those that are acknowledged or silenced, or that are not."),
                ], success: .page(.alert)
            ) { call in
                let filter = AlertFilter(
                    isOpen: call.query.boolIfAny("open"),
                    condition: call.query.textIfAny("condition").flatMap(AlertCondition.init(rawValue:)),
                    severity: call.query.textIfAny("severity").flatMap { AlertSeverity(name: $0) },
                    isQuiet: call.query.boolIfAny("quiet"))
                let before = try call.cursor(.alerts).map { key in
                    guard let id = AlertID(text: key) else {
                        throw call.query.fault("after", "is no cursor of this list")
                    }
                    return id
                }
                let page = try await watch.alerts(
                    filter, before: before, limit: call.limit, in: call.tenant.id, by: call.principal)
                return .page(page.items.map(\.json), next: page.next.map { Cursor.alerts.text($0.text) })
            },
            Route(
                .get, one, "showAlert", "Shows an alert, with the first of its devices that the caller may see.",
                needs: .alertRead, success: .json(.alertDetails)
            ) { call in
                let (alert, devices) = try await watch.alert(
                    call.path.identifier("alert"), in: call.tenant.id, by: call.principal)
                guard case .object(var members) = alert.json else { return .done }
                members["missingDevices"] = .array(devices.map { .string($0.text) })
                return .ok(.object(members))
            },
            Route(
                .post, one + "/acknowledge", "acknowledgeAlert",
                "Says that somebody takes care of an alert: nobody else is told of it, and the bell does not count it.",
                needs: .alertManage,
                body: .json(
                    .named(
                        "AlertAcknowledgement",
                        .object([
                            .optional("note", .text(.free(atMost: WatchLimits.noteBytes)), "What others should know.")
                        ]))), success: .json(.alert)
            ) { call in
                .ok(
                    try await watch.acknowledge(
                        call.path.identifier("alert"), note: call.body.textIfAny("note"), in: call.tenant.id,
                        by: call.principal
                    ).json)
            },
            Route(
                .post, one + "/silence", "silenceAlert",
                "Silences an alert until a moment, and what happens at the same place again until then; null ends that.",
                needs: .alertManage,
                body: .json(
                    .named(
                        "AlertSilence",
                        .object([
                            .required(
                                "until", .nullable(.time),
                                "Until when, at most \(WatchLimits.silencedDays) days ahead.")
                        ]))), success: .json(.alert)
            ) { call in
                .ok(
                    try await watch.silence(
                        call.path.identifier("alert"), until: call.body.timeIfAny("until"), in: call.tenant.id,
                        by: call.principal
                    ).json)
            },
        ] + alertRules(watch)
    }

    private static func alertRules(_ watch: Watch) -> [Route] {
        let all = "/api/v1/tenants/{tenant}/alert-rules"
        let one = all + "/{alertRule}"
        return [
            Route(
                .get, all, "listAlertRules", "Lists the rules of who is told of alerts, by name.", needs: .alertRead,
                query: Parameter.paging, success: .page(.alertRule)
            ) { call in
                let rules = try await watch.rules(in: call.tenant.id, by: call.principal)
                return try call.page(rules.map { ($0.name.text, $0.json) }, .alertRules)
            },
            Route(
                .post, all, "createAlertRule", "Makes a rule of who is told of which alerts.",
                needs: .alertRuleManage, body: .json(.alertRuleDraft), success: .created(.alertRule)
            ) { call in
                let rule = try await watch.createRule(
                    AlertRuleDraft(call.body), in: call.tenant.id, by: call.principal)
                return .created(rule.json, at: "/api/v1/tenants/\(call.tenant.slug)/alert-rules/\(rule.id)")
            },
            Route(
                .get, one, "showAlertRule", "Shows an alert rule.", needs: .alertRead, success: .json(.alertRule)
            ) { call in
                .ok(
                    try await watch.rule(call.path.text("alertRule"), in: call.tenant.id, by: call.principal).json)
            },
            Route(
                .put, one, "replaceAlertRule", "Puts an alert rule in the place of what it was.",
                needs: .alertRuleManage, body: .json(.alertRuleDraft), success: .json(.alertRule)
            ) { call in
                .ok(
                    try await watch.changeRule(
                        call.path.text("alertRule"), to: AlertRuleDraft(call.body), in: call.tenant.id,
                        by: call.principal
                    ).json)
            },
            Route(
                .delete, one, "deleteAlertRule", "Deletes an alert rule.", needs: .alertRuleManage, success: .nothing
            ) { call in
                try await watch.deleteRule(call.path.text("alertRule"), in: call.tenant.id, by: call.principal)
                return .done
            },
        ]
    }
}

extension AlertRuleDraft {
    /// The rule in a body that matches its shape.
    init(_ body: Fields) throws {
        self.init(name: try body.name("name"), domain: body.textIfAny("domain"))
        if body.contains("conditions") {
            conditions = Set(body.texts("conditions").compactMap(AlertCondition.init(rawValue:)))
        }
        severity = body.textIfAny("severity").flatMap { AlertSeverity(name: $0) }
        if let seconds = body.integerIfAny("waitSeconds") { wait = Int64(seconds) }
        if let tells = body.boolIfAny("tellsBack") { tellsBack = tells }
        if let active = body.boolIfAny("active") { isActive = active }
        guard case .array(let named)? = body.value("receivers") else { return }
        receivers = named.map { receiver in
            Receiver(
                role: receiver["role"]?.string, mail: receiver["mail"]?.string, sms: receiver["sms"]?.string,
                webhook: receiver["webhook"]?.string)
        }
    }
}

extension Shape {
    private static let condition = Shape.choice(AlertCondition.allCases.map(\.rawValue))
    private static let severity = Shape.choice(AlertSeverity.allCases.map(\.name))

    private static let members: [Member] = [
        .required("id", .identifier, "The identifier."),
        .required("condition", condition, "What it says has happened."),
        .required("severity", severity, "How bad that is."),
        .required(
            "domain",
            .object([
                .required("id", .identifier, "Its identifier."),
                .required("path", .text, "Its path below the root, which is /."),
            ]), "Whose alert it is."),
        .required("operation", .nullable(.identifier), "The operation that it is about."),
        .required("campaign", .nullable(.identifier), "The campaign that it is about."),
        .required("summary", .text, "What it says in a few words."),
        .required("opened", .time, "When it began."),
        .required("silentSince", .nullable(.time), "Since when devices of it are silent, not only late."),
        .required("devices", .count, "How many devices it has been about; of an operation, how many tasks failed."),
        .required("missing", .count, "About how many it is now."),
        .required("silent", .count, "How many of these are silent."),
        .required("ends", .nullable(.time), "When the first certificate ends."),
        .required("acknowledged", .nullable(.time), "When somebody took care of it."),
        .required("acknowledgedBy", .nullable(.text), "Who did."),
        .required("note", .nullable(.text), "What they noted."),
        .required("silencedUntil", .nullable(.time), "Until when it is silenced."),
        .required("closed", .nullable(.time), "When it was closed."),
        .required("reason", .nullable(.choice(AlertEnd.allCases.map(\.rawValue))), "Why."),
        .required("told", .count, "How many receivers were told of it."),
    ]

    fileprivate static let alert = Shape.named("Alert", .object(members))
    fileprivate static let alertDetails = Shape.named(
        "AlertDetails",
        .object(
            members + [
                .required(
                    "missingDevices", .array(of: .name, atMost: 1000),
                    "The names of the first devices that it is about now.")
            ]))

    private static let receiver = Shape.object([
        .optional("role", .text(.free(atMost: 128)), "By mail, who holds this role at the alert's domain or above it."),
        .optional("mail", .text(.free(atMost: 254)), "A mail address."),
        .optional("sms", .text(.free(atMost: 16)), "A telephone's number, such as +4930123456."),
        .optional("webhook", .text(.nameOrIdentifier), "The name or identifier of a webhook."),
    ])

    fileprivate static let alertRuleDraft = Shape.named(
        "AlertRuleDraft",
        .object([
            .required("name", .name, "The name, unique in the tenant."),
            .optional("domain", .text, "Whose alerts, with all below: a path or an identifier; all when left out."),
            .optional(
                "conditions", .array(of: condition, atMost: AlertCondition.allCases.count),
                "Which alerts; all but late when left out."),
            .optional("severity", .nullable(severity), "How bad these alerts are at least."),
            .optional(
                "waitSeconds", .integer(WatchLimits.wait),
                "Seconds for which an alert must stand before it is told; \(WatchLimits.usualWait) when left out."),
            .optional(
                "tellsBack", .boolean,
                "Whether those who were told of an alert are told when it is over; true when left out."),
            .required(
                "receivers", .array(of: receiver, atMost: WatchLimits.receivers),
                "Who is told; each has one of the members."),
            .optional("active", .boolean, "Whether it is in use; true when left out."),
        ]))

    fileprivate static let alertRule = Shape.named(
        "AlertRule",
        .object([
            .required("id", .identifier, "The identifier."),
            .required("name", .name, "The name."),
            .required("domain", .identifier, "Whose alerts, with all below."),
            .required(
                "conditions", .array(of: condition, atMost: AlertCondition.allCases.count), "Which alerts."),
            .required("severity", .nullable(severity), "How bad these alerts are at least."),
            .required("waitSeconds", .integer(WatchLimits.wait), "For how long an alert must stand before it is told."),
            .required("tellsBack", .boolean, "Whether the end is told, too."),
            .required("receivers", .array(of: receiver, atMost: WatchLimits.receivers), "Who is told."),
            .required("active", .boolean, "Whether it is in use."),
            .required("created", .time, "When it was made."),
            .required("changed", .time, "When it was last changed."),
        ]))
}
