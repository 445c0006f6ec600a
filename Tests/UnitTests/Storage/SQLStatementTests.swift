import Testing

@testable import Storage

@Suite("SQL statements")
struct SQLStatementTests {
    @Test(
        "$n becomes ?n, but not in literals, names and comments",
        arguments: [
            ("SELECT $1", "SELECT ?1"),
            ("SELECT $2,$1,$2", "SELECT ?2,?1,?2"),
            ("SELECT '$1', \"$2\", $3 -- $4\n, $5 /* $6 */", "SELECT '$1', \"$2\", ?3 -- $4\n, ?5 /* $6 */"),
            ("SELECT 'it''s $1', $1", "SELECT 'it''s $1', ?1"),
            ("SELECT \"a$1\" FROM größe WHERE x=$12", "SELECT \"a$1\" FROM größe WHERE x=?12"),
            ("SELECT a-$1", "SELECT a-?1"),
            ("SELECT 1 /* ' */, $1 /* \" */;", "SELECT 1 /* ' */, ?1 /* \" */;"),
        ])
    func rewriting(sql: String, expected: String) throws {
        #expect(try SQLStatement(sql, isKept: false).sqliteText == expected)
    }

    @Test(
        "what the two engines read differently is refused",
        arguments: [
            "SELECT `a`", "SELECT [a]", "SELECT ?", "SELECT ?1", "SELECT :a", "SELECT @a", "SELECT $a", "SELECT $0",
            "SELECT $",
            "SELECT $1a", "SELECT $$text$$", "SELECT E'a\\'b'", "SELECT X'00'", "SELECT /* a /* b */ */ 1",
            "SELECT 'open",
            "SELECT \"open", "SELECT /* open", "SELECT a::text", "SELECT $99999", "SELECT a$1", "SELECT \"a\"\"b\"",
            "SELECT 1; SELECT 2", "", " ;", "-- only a comment", "DROP TABLE a", "EXPLAIN SELECT 1", "(SELECT 1)",
            "SELECT 1 -- a\r, 2", "SELECT 'a\0b'", "SELECT \\x",
        ])
    func refusals(sql: String) {
        #expect(throws: StorageError(.misuse, "")) { try SQLStatement(sql, isKept: false) }
    }

    @Test(
        "every table is found wherever SQL allows one",
        arguments: [
            ("SELECT * FROM boat", ["boat"]),
            ("SELECT boat.quay, depth FROM Boat AS b, \"Quay\" q WHERE b.x = harbour", ["boat", "quay"]),
            ("SELECT * FROM a LEFT JOIN b ON a.x = b.x AND a.y IN (1, 2), c WHERE d = 1", ["a", "b", "c"]),
            ("SELECT * FROM (a JOIN (b CROSS JOIN c))", ["a", "b", "c"]),
            ("SELECT (SELECT MAX(x) FROM a), b FROM c WHERE EXISTS (SELECT 1 FROM d) ORDER BY e, f", ["a", "c", "d"]),
            ("SELECT * FROM (SELECT x, y FROM a) AS s, b", ["a", "b"]),
            (
                "INSERT INTO boat (tenant, quay) VALUES ($1, $2) ON CONFLICT (tenant, id) DO UPDATE SET quay = excluded.quay",
                ["boat"]
            ),
            ("INSERT INTO a SELECT b, c FROM d RETURNING e", ["a", "d"]),
            ("UPDATE a SET b = (SELECT c FROM d), e = 1 FROM f WHERE g = h", ["a", "d", "f"]),
            ("DELETE FROM a USING b, c WHERE a.x = b.x", ["a", "b", "c"]),
            ("WITH x AS (SELECT 1 FROM a), y AS (DELETE FROM b) SELECT * FROM x, y", ["a", "b", "x", "y"]),
            ("SELECT * FROM main.boat", ["main", "boat"]),
            ("SELECT * FROM a UNION SELECT * FROM b EXCEPT SELECT x, y FROM c", ["a", "b", "c"]),
            ("SELECT * FROM ONLY a, LATERAL (SELECT 1 FROM b) AS l", ["a", "b"]),
            ("SELECT 1 WHERE x IN boat", ["boat"]),
            ("UPDATE OR IGNORE boat SET a = 1", ["boat"]),
            ("SELECT 1 FROM a /* FROM b */ WHERE c = 'FROM d' -- FROM e", ["a"]),
            ("SELECT 1 FROM a FOR UPDATE", ["a"]),
            ("SELECT ') FROM x', (1) FROM a)", ["a"]),
        ])
    func tables(sql: String, expected: [String]) throws {
        #expect(try SQLStatement(sql, isKept: false).tables.sorted() == expected.sorted())
    }

    @Test(
        "parameters are counted and gaps are noticed",
        arguments: [
            ("SELECT 1", 0, false, nil), ("SELECT $1", 1, true, nil), ("SELECT $3, $1, $2", 3, true, nil),
            ("SELECT $1, $4, $2", 4, true, 3), ("SELECT $2", 2, false, nil), ("SELECT $3", 3, false, 2),
        ] as [(String, Int, Bool, Int?)])
    func parameters(sql: String, count: Int, usesFirst: Bool, unused: Int?) throws {
        let statement = try SQLStatement(sql, isKept: false)
        #expect(statement.parameters == count)
        #expect(statement.usesFirst == usesFirst)
        #expect(statement.unusedParameter == unused)
    }

    @Test("migrations split at semicolons and tell their tenant tables")
    func schema() throws {
        var schema = Schema()
        try schema.apply(
            Migration(
                1, "",
                """
                CREATE TABLE IF NOT EXISTS a (tenant BYTEA NOT NULL, x TEXT DEFAULT ';'); -- ; nothing
                CREATE TABLE b (x BYTEA, tenant BYTEA);
                CREATE UNIQUE INDEX b_x ON b (x);
                CREATE TABLE "C" ("Tenant" BYTEA);
                """))
        #expect(schema.tables == ["a", "b", "c"])
        #expect(schema.tenantTables == ["a", "c"])
        try schema.apply(
            Migration(2, "", "DROP TABLE b; ALTER TABLE a RENAME TO d; ALTER TABLE c RENAME COLUMN x TO y"))
        #expect(schema.tables == ["d", "c"])
        #expect(schema.tenantTables == ["d", "c"])
    }

    @Test("a verdict on a statement follows the schema of its day, and the cache is bounded")
    func catalogue() throws {
        let catalogue = StatementCatalogue()
        let sql = "SELECT x FROM a"
        _ = try catalogue.statement(sql, in: .platform)
        var schema = Schema()
        try schema.apply(Migration(1, "", "CREATE TABLE a (tenant BYTEA, x BIGINT)"))
        catalogue.replace([], schema)
        #expect(throws: StorageError(.misuse, "")) { try catalogue.statement(sql, in: .platform) }
        for number in 0..<StorageLimits.cachedStatements {
            _ = try catalogue.statement("SELECT \(number)", in: .platform)
        }
        #expect(try catalogue.statement("SELECT 5", in: .platform).isKept)
        #expect(try !catalogue.statement("SELECT 'one more'", in: .platform).isKept)
        #expect(throws: StorageError(.misuse, "")) { try catalogue.statement("SELECT 'more' FROM a", in: .platform) }
    }

    @Test("a checksum changes with every byte of the SQL")
    func checksum() {
        #expect(Migration(1, "a", "CREATE").checksum == Migration(2, "b", "CREATE").checksum)
        #expect(Migration(1, "a", "CREATE").checksum != Migration(1, "a", "CREATE ").checksum)
        // The published vectors of 64-bit FNV-1a.
        #expect(UInt64(bitPattern: Migration(1, "", "").checksum) == 0xCBF2_9CE4_8422_2325)
        #expect(UInt64(bitPattern: Migration(1, "", "foobar").checksum) == 0x8594_4171_F739_67E8)
    }
}
