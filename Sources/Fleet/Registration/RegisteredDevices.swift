public import Base

/// The devices that a bulk registration made, with their enrolment tokens, which are shown this once.
public struct RegisteredDevices: Sendable {
    /// One registered device.
    public struct Entry: Sendable {
        /// Its identifier.
        public let id: DeviceID
        /// Its name.
        public let name: Name
        /// Its enrolment token.
        public let token: String
    }

    /// The devices in the order of the list.
    public let devices: [Entry]
    /// Until when the tokens work.
    public let tokensExpire: Timestamp

    /// The answer in parts of some tens of kilobytes: CSV with a header, or one JSON object a line.
    public func chunks(_ format: RegistrationReader.Format) -> some Sequence<[UInt8]> & Sendable {
        Chunks(devices: devices, expires: tokensExpire.rfc3339, format: format)
    }

    private struct Chunks: Sequence, IteratorProtocol, Sendable {
        let devices: [Entry]
        let expires: String
        let format: RegistrationReader.Format
        private var place = 0

        init(devices: [Entry], expires: String, format: RegistrationReader.Format) {
            self.devices = devices
            self.expires = expires
            self.format = format
        }

        /// Names, identifiers, tokens and times need no quoting in either form.
        mutating func next() -> [UInt8]? {
            guard place < devices.count else { return nil }
            var text = ""
            if place == 0, format == .csv { text += "id,name,enrolmentToken,expires\r\n" }
            for device in devices[place..<Swift.min(place + 512, devices.count)] {
                switch format {
                case .csv: text += "\(device.id),\(device.name),\(device.token),\(expires)\r\n"
                case .json:
                    text += "{\"id\":\"\(device.id)\",\"name\":\"\(device.name)\","
                    text += "\"enrolmentToken\":\"\(device.token)\",\"expires\":\"\(expires)\"}\n"
                }
            }
            place += 512
            return Array(text.utf8)
        }
    }
}
