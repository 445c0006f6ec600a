import Fleet

/// The shapes of devices, as they come in and go out.
extension Shape {
    private static let identifiers = Shape.array(
        of: .object([
            .required("kind", .choice(HardwareIdentifier.Kind.allCases.map(\.rawValue)), "What sort of number it is."),
            .required("value", .text(.free(atMost: FleetLimits.hardwareIdentifierBytes)), "The number."),
        ]), atMost: FleetLimits.hardwareIdentifiers)

    private static let capabilities = Shape.array(
        of: .choice(["reports", "tasks", "relays", "hears", "sim"]), atMost: 16)

    private static let labels = Shape.map(
        of: .text(.free(atMost: FleetLimits.labelValueBytes)), atMost: FleetLimits.labels)

    private static let location = Shape.object([
        .required("latitude", .number, "Degrees north."), .required("longitude", .number, "Degrees east."),
    ])

    static let deviceDraft = Shape.named(
        "DeviceDraft",
        .object([
            .required("name", .name, "The name, unique in the tenant."),
            .optional("model", .nullable(.text(.nameOrIdentifier)), "The model's name or identifier."),
            .optional("domain", .nullable(.text), "The domain's identifier or path; the root when left out."),
            .optional("capabilities", .nullable(capabilities), "What it can do; reports and tasks when left out."),
            .optional(
                "identifiers", .nullable(identifiers),
                "What the maker put into it; each is registered once in the whole deployment."),
            .optional("labels", .nullable(labels), "Words by which people find it."),
            .optional("attributes", .nullable(.map(of: .any, atMost: FleetLimits.attributes)), "Anything else."),
            .optional(
                "components",
                .nullable(.map(of: .text(.free(atMost: FleetLimits.versionBytes)), atMost: FleetLimits.components)),
                "Versions of its separately versioned parts."),
            .optional("location", .nullable(location), "Where it stands."),
            .optional("place", .nullable(.text(.free(atMost: FleetLimits.placeBytes))), "Where it stands, in words."),
        ]))

    static let deviceChange = Shape.named(
        "DeviceChange",
        .object([
            .optional("revision", .count, "The revision that the caller saw; another one is refused."),
            .optional("name", .name, "A new name."),
            .optional("model", .nullable(.text(.nameOrIdentifier)), "A new model; null takes it away."),
            .optional("domain", .text, "A new domain, by identifier or path."),
            .optional("capabilities", capabilities, "What it can do from now on."),
            .optional("identifiers", identifiers, "All hardware identifiers from now on."),
            .optional(
                "labels",
                .map(of: .nullable(.text(.free(atMost: FleetLimits.labelValueBytes))), atMost: FleetLimits.labels * 2),
                "Labels to set; null takes one away."),
            .optional(
                "attributes", .map(of: .any, atMost: FleetLimits.attributes * 2),
                "Attributes to set; null takes one away."),
            .optional(
                "components",
                .map(
                    of: .nullable(.text(.free(atMost: FleetLimits.versionBytes))), atMost: FleetLimits.components * 2),
                "Components to set; null takes one away."),
            .optional("location", .nullable(location), "Where it stands; null takes it away."),
            .optional(
                "place", .nullable(.text(.free(atMost: FleetLimits.placeBytes))),
                "Where it stands, in words; null takes it away."),
        ]))

    private static let deviceMembers: [Member] = [
        .required("id", .identifier, "The identifier, which never changes."),
        .required("name", .name, "The name."),
        .required("domain", .identifier, "The domain in which it lives."),
        .required("model", .nullable(.identifier), "The model's identifier."),
        .required("status", .choice(DeviceStatus.allCases.map(\.rawValue)), "Whether it is let in."),
        .required("capabilities", capabilities, "What it can do."),
        .required("identifiers", identifiers, "What the maker put into it."),
        .required("labels", labels, "Words by which people find it."),
        .required("attributes", .map(of: .any, atMost: FleetLimits.attributes), "Anything else."),
        .required("components", .map(of: .text, atMost: FleetLimits.components), "Versions of its parts."),
        .required("location", .nullable(location), "Where it stands."),
        .required("place", .nullable(.text), "Where it stands, in words."),
        .required("created", .time, "When it was registered."),
        .required("enrolled", .nullable(.time), "When it first got a credential."),
        .required("changed", .time, "When it last changed."),
        .required("revision", .count, "Counts its changes."),
    ]

    private static let presenceMembers: [Member] = [
        .required("modelName", .nullable(.name), "The model's name."),
        .required(
            "presence",
            .named(
                "Presence",
                .object([
                    .required("online", .boolean, "Whether it has a connection."),
                    .required("lastSeen", .nullable(.time), "When it was last heard."),
                    .required("connected", .nullable(.time), "When its latest connection began."),
                    .required("disconnected", .nullable(.time), "When its last connection ended."),
                    .required("connections", .count, "How many connections it has made."),
                    .required("protocol", .nullable(.text), "The protocol of its latest connection."),
                    .required("address", .nullable(.text), "The address of its latest connection."),
                ])), "Whether it is connected."),
        .required("heartbeat", heartbeatStanding, "Whether it calls as it shall."),
    ]

    private static let tokenMembers: [Member] = [
        .required("enrolmentToken", .text, "The secret with which it enrols, shown this once."),
        .required("enrolmentTokenExpires", .time, "Until when that works."),
    ]

    static let device = Shape.named("Device", .object(deviceMembers))
    static let listedDevice = Shape.named("ListedDevice", .object(deviceMembers + presenceMembers))
    static let registeredDevice = Shape.named("RegisteredDevice", .object(deviceMembers + tokenMembers))
    static let enrolmentToken = Shape.named(
        "EnrolmentToken", .object([.required("id", .identifier, "The device.")] + tokenMembers))

    static let accessToken = Shape.named(
        "AccessToken",
        .object([
            .required("id", .identifier, "The token's identifier."),
            .required("rank", .choice(["access-token"]), "That it is the weaker kind of credential."),
            .required("created", .time, "When it was made."),
            .required("accessToken", .text, "The secret, shown this once."),
        ]))

    static let deviceDetails = Shape.named(
        "DeviceDetails",
        .object(
            deviceMembers + presenceMembers + [
                .required(
                    "certificates",
                    .array(
                        of: .object([
                            .required("fingerprint", .text, "The certificate's SHA-256."),
                            .required("rank", .choice(["certificate"]), "That it is the stronger kind of credential."),
                            .required("channel", .text, "What it opens: maintenance or stream."),
                            .required("notBefore", .time, "From when it is valid."),
                            .required("notAfter", .time, "Until when it is valid."),
                            .required("status", .text, "Whether it still counts."),
                            .required("reason", .nullable(.text), "Why it ended."),
                        ]), atMost: 10_000), "Its certificates, the newest first."),
                .required(
                    "accessTokens",
                    .array(
                        of: .object([
                            .required("id", .identifier, "The token's identifier."),
                            .required("rank", .choice(["access-token"]), "That it is the weaker kind of credential."),
                            .required("created", .time, "When it was made."),
                        ]), atMost: FleetLimits.accessTokens), "Its access tokens, without their secrets."),
                .required("enrolmentTokenExpires", .nullable(.time), "Until when its unused enrolment token works."),
                .required(
                    "retiredIdentifiers",
                    .array(
                        of: .object([
                            .required("kind", .text, "What sort of number it is."),
                            .required("value", .text, "The number."),
                            .required("retired", .time, "When its unit was replaced."),
                        ]), atMost: 10_000), "Identifiers of units that stood in its place before."),
            ]))

    static let newUnit = Shape.named(
        "NewUnit", .object([.optional("identifiers", identifiers, "What the maker put into the new unit.")]))

    static let statusReason = Shape.named(
        "StatusReason",
        .object([.optional("reason", .text(.free(atMost: FleetLimits.placeBytes)), "Why, for the audit.")]))
}
