package import Base
package import Storage

extension Access {
    /// What principals of the transaction's tenant are called, for a caller who has decided that somebody may know.
    package func names(of principals: [PrincipalID], in tx: Transaction) throws -> [PrincipalID: String] {
        var names: [PrincipalID: String] = [:]
        for id in Set(principals) {
            names[id] = try tx.row("SELECT name FROM principal WHERE tenant = $1 AND id = $2", id)?.text(0)
        }
        return names
    }
}
