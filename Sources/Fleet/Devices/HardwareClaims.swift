import Base
import Storage

/// Which device holds which hardware identifier in the whole deployment.
///
/// A replaced unit's identifiers stay with its tenant, retired: nobody else can register the broken unit, but the
/// tenant itself can once it is repaired. Deleting the device sets them free. A refusal never says whose a claimed
/// identifier is, because that would tell one tenant about another.
enum HardwareClaims {
    /// How identifiers that somebody wants stand now; those in neither set are free.
    struct Standing {
        /// Held by a device, or by another tenant.
        var taken: Set<HardwareIdentifier> = []
        /// The tenant's own, of a unit that was replaced: it may take them over.
        var retired: Set<HardwareIdentifier> = []
    }

    /// How these identifiers stand for this tenant.
    static func standing(
        of identifiers: [HardwareIdentifier], for tenant: TenantID, in transaction: Transaction
    ) throws -> Standing {
        var standing = Standing()
        for kind in HardwareIdentifier.Kind.allCases {
            var rest = identifiers.filter { $0.kind == kind }[...]
            while !rest.isEmpty {
                let chunk = rest.prefix(lookUp)
                rest = rest.dropFirst(chunk.count)
                // Always the same number of parameters, so that one prepared statement serves.
                let values = chunk.map(\.value) + Array(repeating: "", count: lookUp - chunk.count)
                let list = (0..<lookUp).map { "$\($0 + 3)" }.joined(separator: ", ")
                let rows = try transaction.rows(
                    """
                    SELECT value, owner, retired FROM hardware_identifier
                    WHERE kind = $2 AND value IN (\(list))
                    """, arguments: [kind.rawValue] + values)
                for row in rows {
                    let identifier = HardwareIdentifier(stored: kind, value: try row.text(0))
                    if try row.identifier(1, as: TenantID.self) == tenant, !row.isNull(2) {
                        standing.retired.insert(identifier)
                    } else {
                        standing.taken.insert(identifier)
                    }
                }
            }
        }
        return standing
    }

    private static let lookUp = 100

    /// Claims identifiers that were found free, taking over the tenant's own retired ones.
    static func claim(
        _ claims: [(identifier: HardwareIdentifier, device: DeviceID)], tenant: TenantID, at now: Timestamp,
        takingOver retired: Set<HardwareIdentifier>, in transaction: Transaction
    ) throws {
        for identifier in retired {
            try transaction.execute(
                "DELETE FROM hardware_identifier WHERE owner = $1 AND kind = $2 AND value = $3",
                identifier.kind.rawValue, identifier.value)
        }
        // In the order of the index, because many rows at random places cost a page each.
        try transaction.insert(
            into: "hardware_identifier", columns: ["kind", "value", "owner", "device", "claimed"],
            rows: claims.sorted { $0.identifier < $1.identifier }.map {
                [
                    .text($0.identifier.kind.rawValue), .text($0.identifier.value), tenant.sqlValue,
                    $0.device.sqlValue, now.sqlValue,
                ]
            })
    }

    /// Gives identifiers back to everybody.
    static func release(_ identifiers: [HardwareIdentifier], of device: DeviceID, in transaction: Transaction) throws {
        for identifier in identifiers {
            try transaction.execute(
                "DELETE FROM hardware_identifier WHERE owner = $1 AND device = $2 AND kind = $3 AND value = $4", device,
                identifier.kind.rawValue, identifier.value)
        }
    }

    /// Gives back all that a device holds, retired ones too.
    static func releaseAll(of device: DeviceID, in transaction: Transaction) throws {
        try transaction.execute("DELETE FROM hardware_identifier WHERE owner = $1 AND device = $2", device)
    }

    /// Keeps identifiers of a unit that was replaced away from others.
    static func retire(
        _ identifiers: [HardwareIdentifier], of device: DeviceID, at now: Timestamp, in transaction: Transaction
    ) throws {
        for identifier in identifiers {
            try transaction.execute(
                """
                UPDATE hardware_identifier SET retired = $5
                WHERE owner = $1 AND device = $2 AND kind = $3 AND value = $4
                """, device, identifier.kind.rawValue, identifier.value, now)
        }
    }

    /// The identifiers of units that stood in a device's place before, and when each was retired.
    static func retired(of device: DeviceID, in transaction: Transaction) throws
        -> [(identifier: HardwareIdentifier, retired: Timestamp)]
    {
        try transaction.rows(
            """
            SELECT kind, value, retired FROM hardware_identifier
            WHERE owner = $1 AND device = $2 AND retired IS NOT NULL ORDER BY retired, kind, value
            """, device
        ).compactMap { row in
            guard let kind = HardwareIdentifier.Kind(rawValue: try row.text(0)) else { return nil }
            return (HardwareIdentifier(stored: kind, value: try row.text(1)), try row.timestamp(2))
        }
    }
}
