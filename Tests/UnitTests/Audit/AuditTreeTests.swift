import Base
import Testing

@testable import Audit

@Suite struct AuditTreeTests {
    /// The leaves and roots of the test vectors that Certificate Transparency's implementations share.
    static let leaves = [
        "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f",
    ]
    static let roots = [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ]

    @Test("the roots are those of the vectors of Certificate Transparency", arguments: 1...8)
    func vectors(size: Int) throws {
        var frontier = TreeFrontier()
        for leaf in Self.leaves.prefix(size) { frontier.append(.leaf(try #require([UInt8](hex: leaf)))) }
        #expect(frontier.root.bytes.hex == Self.roots[size - 1])
    }

    @Test("a tree without leaves has the hash of nothing")
    func empty() {
        #expect(TreeFrontier().root.bytes.hex == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
    }

    private static func leaves(_ count: Int) -> [TreeHash] {
        (0..<count).map { .leaf([UInt8(truncatingIfNeeded: $0), UInt8($0 >> 8)]) }
    }

    /// The definition of RFC 6962, section 2.1, word for word: slow and obvious.
    private static func slowRoot(_ leaves: ArraySlice<TreeHash>) -> TreeHash {
        guard leaves.count > 1 else { return leaves.first ?? .empty }
        var split = 1
        while split * 2 < leaves.count { split *= 2 }
        let middle = leaves.startIndex + split
        return .node(slowRoot(leaves[..<middle]), slowRoot(leaves[middle...]))
    }

    private static func node(_ leaves: [TreeHash], _ node: TreeNode) -> TreeHash {
        let width = 1 << node.level
        return slowRoot(leaves[Int(node.index) * width..<(Int(node.index) + 1) * width])
    }

    @Test("the frontier's root agrees with the definition at every size, and survives storing")
    func frontier() throws {
        let leaves = Self.leaves(150)
        var frontier = TreeFrontier()
        for size in 0...leaves.count {
            #expect(frontier.root == Self.slowRoot(leaves[..<size]))
            #expect(TreeFrontier(size: Int64(size), bytes: frontier.bytes) == frontier)
            if size < leaves.count { frontier.append(leaves[size]) }
        }
        #expect(TreeFrontier(size: 3, bytes: [UInt8](repeating: 0, count: 32)) == nil)
        #expect(TreeFrontier(size: -1, bytes: []) == nil)
    }

    @Test("every leaf's inclusion proof holds, at every size, and no other leaf's does")
    func inclusion() throws {
        let leaves = Self.leaves(40)
        for size in 1...leaves.count {
            let root = Self.slowRoot(leaves[..<size])
            for index in 0..<size {
                let proof = try TreeProof.inclusion(of: Int64(index), size: Int64(size)) { Self.node(leaves, $0) }
                func holds(_ leaf: TreeHash, _ at: Int, _ proof: [TreeHash]) -> Bool {
                    TreeProof.verifyInclusion(of: leaf, at: Int64(at), size: Int64(size), root: root, proof: proof)
                }
                #expect(holds(leaves[index], index, proof))
                #expect(!holds(leaves[(index + 1) % leaves.count], index, proof))
                #expect(!holds(leaves[index], index, proof + [root]))
                #expect(size == 1 || !holds(leaves[index], (index + 1) % size, proof))
                #expect(size == 1 || !holds(leaves[index], index, proof.dropLast()))
            }
        }
    }

    @Test("every earlier tree's consistency proof holds, and no other tree's does")
    func consistency() throws {
        let leaves = Self.leaves(40)
        for size in 1...leaves.count {
            let root = Self.slowRoot(leaves[..<size])
            for earlier in 0...size {
                let proof = try TreeProof.consistency(from: Int64(earlier), to: Int64(size)) { Self.node(leaves, $0) }
                func holds(_ earlierRoot: TreeHash, _ root: TreeHash) -> Bool {
                    TreeProof.verifyConsistency(
                        from: Int64(earlier), root: earlierRoot, to: Int64(size), root: root, proof: proof)
                }
                let earlierRoot = Self.slowRoot(leaves[..<earlier])
                #expect(holds(earlierRoot, root))
                #expect(!holds(.leaf([9]), root))
                #expect(earlier == 0 || !holds(earlierRoot, .leaf([9])))
            }
        }
    }
}
