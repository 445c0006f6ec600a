import Access
import Base
import HTTPTypes
import SignIn

/// People's accounts, their sessions, and the rules of sign-in.
extension RouteTable {
    static func users(_ services: NorthboundServices) -> [Route] {
        let signIn = services.signIn
        let all = "/api/v1/tenants/{tenant}/users"
        return [
            Route(
                .get, all, "listUsers", "Lists the people who have an account, by address.", needs: .principalRead,
                query: Parameter.paging, success: .page(.user)
            ) { call in
                let found = try await signIn.accounts(
                    tenant: call.tenant.id, after: call.cursor(.users) ?? "", limit: call.limit, by: call.principal)
                let next = found.count == call.limit ? found.last.map { Cursor.users.text($0.address.text) } : nil
                return .page(found.map(\.json), next: next)
            },
            Route(
                .post, all, "inviteUser",
                "Invites somebody: makes their account with one role, and a link by which they take it up. It goes by "
                    + "mail; without a mail server it is in the answer, this once.",
                needs: .principalManage,
                body: .json(
                    .named(
                        "UserDraft",
                        .object([
                            .required(
                                "address", .text(.free(atMost: SignInLimits.addressCharacters)), "The e-mail address."),
                            .optional(
                                "name", .text(.free(atMost: AccessLimits.displayNameBytes)), "The person's name."),
                            .required("role", .text(.nameOrIdentifier), "What they may do."),
                            .optional("domain", .text, "Where, by identifier or path; the whole tenant when left out."),
                            .optional("until", .time, "Until when they may; for ever when left out."),
                            .reason,
                        ]))), success: .created(.invitation)
            ) { call in
                let made = try await signIn.invite(
                    call.body.text("address"), name: call.body.textIfAny("name"), role: call.body.text("role"),
                    at: call.body.textIfAny("domain"), until: call.body.timeIfAny("until"),
                    reason: call.body.textIfAny("reason"), tenant: call.tenant.id, by: call.principal)
                return .created(
                    made.json, at: "/api/v1/tenants/\(call.tenant.slug)/users/\(made.account.principal)")
            },
            Route(
                .get, all + "/{user}", "showUser", "Shows one account.", needs: .principalRead, success: .json(.user)
            ) { call in
                .ok(try await signIn.account(call.user, tenant: call.tenant.id, by: call.principal).json)
            },
            Route(
                .patch, all + "/{user}", "updateUser",
                "Changes an account: its name, from where it may be used, whether it asks for a new password, or whether "
                    + "it may be used at all. Who is disabled is signed out everywhere at once.",
                needs: .principalManage,
                body: .json(
                    .named(
                        "UserChange",
                        .object([
                            .optional(
                                "name", .text(.free(atMost: AccessLimits.displayNameBytes)), "The person's name."),
                            .optional("active", .boolean, "Whether it may be used."),
                            .optional(
                                "addresses", .addressRanges,
                                "From where it may be used; anywhere when empty. One's own address must be in."),
                            .optional(
                                "mustChangePassword", .boolean, "Whether the next sign-in asks for a new password."),
                        ]))), success: .json(.user)
            ) { call in
                let ranges = try call.body.value("addresses").map { _ in
                    try AddressRanges.parse(call.body.texts("addresses"), at: "/addresses")
                }
                var account = try await signIn.changeAccount(
                    call.user, name: call.body.textIfAny("name"), addressRanges: ranges,
                    mustChangePassword: call.body.boolIfAny("mustChangePassword"), tenant: call.tenant.id,
                    by: call.principal)
                if let isActive = call.body.boolIfAny("active") {
                    account = try await signIn.setActive(
                        isActive, user: call.user, tenant: call.tenant.id, by: call.principal)
                }
                return .ok(account.json)
            },
            Route(
                .post, all + "/{user}/link", "renewUserLink",
                "Makes the link of an invitation anew, or one to a new password; the one before counts no longer. It goes "
                    + "by mail; without a mail server it is in the answer, this once.",
                needs: .principalManage, success: .json(.invitation)
            ) { call in
                .ok(try await signIn.renewLink(of: call.user, tenant: call.tenant.id, by: call.principal).json)
            },
            Route(
                .get, all + "/{user}/sessions", "listSessions",
                "Lists somebody's sessions, the newest first; `listAudit` with `credential` tells what was done in one.",
                needs: .principalRead, query: Parameter.paging, success: .page(.session)
            ) { call in
                let sessions = try await signIn.sessions(of: call.user, tenant: call.tenant.id, by: call.principal)
                // Identifiers begin with the time; turned round they sort the newest first.
                return try call.page(sessions.map { (($0.id.bytes.map { ~$0 }).hex, $0.json) }, .sessions)
            },
            Route(
                .delete, all + "/{user}/sessions", "endSessions",
                "Ends all of somebody's sessions at once, except the one that asks.", needs: .principalManage,
                success: .nothing
            ) { call in
                try await signIn.endSessions(of: call.user, tenant: call.tenant.id, by: call.principal)
                return .done
            },
            Route(
                .delete, all + "/{user}/sessions/{session}", "endSession", "Ends one session at once.",
                needs: .principalManage, success: .nothing
            ) { call in
                try await signIn.endSessions(
                    of: call.user, call.path.identifier("session"), tenant: call.tenant.id, by: call.principal)
                return .done
            },
        ]
    }

    static func signInRules(_ services: NorthboundServices) -> [Route] {
        let signIn = services.signIn
        let policy = "/api/v1/tenants/{tenant}/sign-in-policy"
        return [
            Route(
                .get, policy, "showSignInPolicy", "Shows the rules for signing in.", needs: .principalRead,
                success: .json(.signInPolicy)
            ) { call in
                .ok(try await signIn.policy(tenant: call.tenant.id, by: call.principal).json)
            },
            Route(
                .put, policy, "putSignInPolicy",
                "Changes the rules for signing in; they hold from the next request on, for open sessions as well.",
                needs: .principalManage, body: .json(.signInPolicyDraft), success: .json(.signInPolicy)
            ) { call in
                var policy = try await signIn.policy(tenant: call.tenant.id, by: call.principal)
                if let profile = call.body.textIfAny("profile").flatMap(PasswordProfile.init(rawValue:)) {
                    policy.profile = profile
                }
                if let minutes = call.body.integerIfAny("idleMinutes") { policy.idleMinutes = minutes }
                if let hours = call.body.integerIfAny("sessionHours") { policy.sessionHours = hours }
                if call.body.contains("addresses") {
                    policy.addressRanges = try AddressRanges.parse(call.body.texts("addresses"), at: "/addresses")
                }
                try await signIn.putPolicy(
                    policy, reason: call.body.textIfAny("reason"), tenant: call.tenant.id, by: call.principal)
                return .ok(policy.json)
            },
            Route(
                .post, "/api/v1/setup-link", "createSetUpLink",
                "Makes the link by which the first administrator of a new server signs up; the one before counts no longer.",
                needs: .platformManage, success: .json(.accountLink)
            ) { call in
                .ok(try await signIn.setUpLink(by: call.principal).json)
            },
        ]
    }
}

extension Call {
    /// The user that the path names.
    fileprivate var user: String { get throws { try input.path.text("user") } }
}

extension Shape {
    static let addressRanges = Shape.array(of: .text(.free(atMost: 64)), atMost: SignInLimits.addressRanges)

    private static let userMembers: [Member] = [
        .required("id", .identifier, "The principal's identifier."),
        .required("address", .text, "The e-mail address."),
        .required("name", .text, "The person's name."),
        .required("status", .choice(Account.Status.allCases.map(\.rawValue)), "Whether somebody can sign in with it."),
        .required("hasPassword", .boolean, "Whether it has a password."),
        .required("mustChangePassword", .boolean, "Whether the next sign-in asks for a new password."),
        .required("addresses", .addressRanges, "From where it may be used; anywhere when empty."),
        .required("created", .time, "When it was made."),
        .required("lastSignIn", .nullable(.time), "When its holder last signed in."),
    ]

    static let user = Shape.named("User", .object(userMembers))

    static let accountLink = Shape.named(
        "AccountLink",
        .object([
            .required("url", .text, "The whole address; it is shown this once.").shownOnce,
            .required("expires", .time, "When it ends."),
        ]))

    static let invitation = Shape.named(
        "Invitation",
        .object([
            .required("user", .user, "The account."),
            .required("link", .nullable(.accountLink), "The link to hand over; null when it was mailed."),
        ]))

    static let session = Shape.named(
        "Session",
        .object([
            .required("id", .identifier, "The session, by which the audit log names it as credential."),
            .required("address", .nullable(.text), "From where it was opened."),
            .required("userAgent", .nullable(.text), "The browser's own description."),
            .required(
                "factors", .array(of: .choice(FactorMethod.allCases.map(\.rawValue)), atMost: 10),
                "What was proved beside the password."),
            .required("opened", .time, "When it was opened."),
            .required("lastUsed", .nullable(.time), "When it was last used, to the minute."),
            .required("expires", .nullable(.time), "When it ends without further use."),
            .required("ended", .nullable(.time), "When it was ended early."),
            .required("live", .boolean, "Whether it counts now."),
            .required("current", .boolean, "Whether it is the one that asks."),
        ]))

    private static let policyMembers: [(String, Shape, String)] = [
        (
            "profile", .choice(PasswordProfile.allCases.map(\.rawValue)),
            "The rules for passwords: `nist` (length and a list of common ones), or `classic`."
        ),
        (
            "idleMinutes",
            .integer(Int64(SignInPolicy.idleRange.lowerBound)...Int64(SignInPolicy.idleRange.upperBound)),
            "After how many minutes without use a session ends."
        ),
        (
            "sessionHours",
            .integer(Int64(SignInPolicy.hoursRange.lowerBound)...Int64(SignInPolicy.hoursRange.upperBound)),
            "After how many hours a session ends in any case."
        ),
        ("addresses", .addressRanges, "From where people may sign in and work; anywhere when empty."),
    ]

    static let signInPolicy = Shape.named(
        "SignInPolicy", .object(policyMembers.map { .required($0.0, $0.1, $0.2) }))
    static let signInPolicyDraft = Shape.named(
        "SignInPolicyChange", .object(policyMembers.map { .optional($0.0, $0.1, $0.2) } + [.reason]))
}

extension Account {
    fileprivate var json: JSONValue {
        [
            "id": .string(principal.text), "address": .string(address.text), "name": .string(name),
            "status": .string(status.rawValue), "hasPassword": .bool(hasPassword),
            "mustChangePassword": .bool(mustChangePassword),
            "addresses": .array(addressRanges.map { .string($0.description) }), "created": .string(created.rfc3339),
            "lastSignIn": lastSignIn.map { .string($0.rfc3339) } ?? .null,
        ]
    }
}

extension NewLink {
    fileprivate var json: JSONValue { ["url": .string(url), "expires": .string(expires.rfc3339)] }
}

extension Invitation {
    fileprivate var json: JSONValue { ["user": account.json, "link": link?.json ?? .null] }
}

extension SessionInfo {
    fileprivate var json: JSONValue {
        func time(_ time: Timestamp?) -> JSONValue { time.map { .string($0.rfc3339) } ?? .null }
        return [
            "id": .string(id.text), "address": address.map { .string($0) } ?? .null,
            "userAgent": userAgent.map { .string($0) } ?? .null,
            "factors": .array(factors.map(\.rawValue).sorted().map { .string($0) }), "opened": time(opened),
            "lastUsed": time(lastUsed), "expires": time(expires), "ended": time(ended), "live": .bool(isLive),
            "current": .bool(isCurrent),
        ]
    }
}

extension SignInPolicy {
    fileprivate var json: JSONValue {
        [
            "profile": .string(profile.rawValue), "idleMinutes": .integer(Int64(idleMinutes)),
            "sessionHours": .integer(Int64(sessionHours)),
            "addresses": .array(addressRanges.map { .string($0.description) }),
        ]
    }
}
