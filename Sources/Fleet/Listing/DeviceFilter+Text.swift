extension DeviceFilter {
    /// A text as a filter has it; characters that no line can have are left out.
    package static func quoted(_ text: String) -> String {
        var result = "\""
        // By scalars: the filter is read by bytes, to which an accent changes nothing of what stands before it.
        for scalar in text.unicodeScalars where scalar.value > 0x1F && scalar.value != 0x7F {
            if scalar == "\"" || scalar == "\\" { result.unicodeScalars.append("\\") }
            result.unicodeScalars.append(scalar)
        }
        return result + "\""
    }

    /// A filter for the devices that have one of these versions of a component, and none of the others that there are; nil
    /// when neither fits a filter.
    ///
    /// It names those, or, when they are too many, the others, if these are all others that there are.
    package static func text(_ component: String, in versions: [String], not others: [String]? = nil) -> String? {
        func having(_ versions: [String]) -> String {
            versions.map { "component.\(component) = \(quoted($0))" }.joined(separator: " or ")
        }
        var texts = [having(versions)]
        if let others {
            texts.append("component.\(component)" + (others.isEmpty ? "" : " and not (\(having(others)))"))
        }
        return texts.first { (try? DeviceFilter($0)) != nil }
    }
}
