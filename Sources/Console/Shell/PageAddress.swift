import Base

extension String {
    /// This address with those of the fields as its query that have a value; a page leaves out what is usual.
    func withQuery(_ fields: KeyValuePairs<String, String?>) -> String {
        let texts = fields.compactMap { name, value in value.map { "\(name)=\($0.percentEncoded)" } }
        return texts.isEmpty ? self : "\(self)?\(texts.joined(separator: "&"))"
    }
}
