import Base

/// Decodes SenML packs in CBOR (RFC 8428, section 6): the specification's labels are integers.
enum SenMLCBOR {
    static func decode(
        _ scanner: inout CBORScanner, context: DecodingContext, names: inout SeriesNameCache,
        into batch: inout ReadingBatch
    ) throws(InputFault) {
        guard case .array(let count) = try scanner.item() else { throw InputFault(.notCBOR, at: 0) }
        var resolver = SenMLResolver(context: context)
        var remaining = try scanner.remaining(count)
        var isEmpty = true
        while try scanner.next(&remaining) {
            isEmpty = false
            let record = try record(&scanner, base: &resolver)
            try resolver.resolve(record, names: &names, into: &batch, at: scanner.position)
        }
        if isEmpty { throw InputFault(.empty, at: scanner.position) }
    }

    private static func record(
        _ scanner: inout CBORScanner, base: inout SenMLResolver
    ) throws(InputFault) -> SenMLRecord {
        guard case .map(let count) = try scanner.item() else { throw InputFault(.wrongType, at: scanner.position) }
        var record = SenMLRecord()
        var remaining = try scanner.remaining(count)
        while try scanner.next(&remaining) {
            let start = scanner.position
            guard let field = try field(&scanner) else {
                try scanner.skip()
                continue
            }
            try record.note(field, at: start)
            let place = scanner.position
            switch (field, try scanner.item()) {
            case (.name, .text(let text)): record.name = text
            case (.value, .number(let number)): try record.set(.number(number), at: start)
            case (.unit, .text(let text)): record.unit = try unit(text, at: place)
            case (.time, .number(let seconds)): record.time = try DeviceTime.microseconds(seconds: seconds, at: place)
            case (.sum, .number(let number)): record.sum = number
            case (.baseName, .text(let text)): base.baseName = text
            case (.baseTime, .number(let seconds)):
                base.baseTime = try DeviceTime.microseconds(seconds: seconds, at: place)
            case (.baseUnit, .text(let text)): base.baseUnit = try unit(text, at: place)
            case (.baseValue, .number(let number)): base.baseValue = number
            case (.baseSum, .number(let number)): base.baseSum = number
            case (.baseVersion, .number(let number)): try base.setVersion(number, at: place)
            case (.text, .text(let text)): try record.set(.text(text), at: start)
            case (.data, .bytes(let data)): try record.set(.data(data), at: start)
            case (.boolean, .boolean(let isTrue)): try record.set(.boolean(isTrue), at: start)
            case (.updateTime, .number): break
            default: throw InputFault(.wrongType, at: place)
            }
        }
        return record
    }

    /// Reads a label: nil for one that may be ignored, with its value still to be skipped.
    private static func field(_ scanner: inout CBORScanner) throws(InputFault) -> SenMLField? {
        let start = scanner.position
        switch try scanner.item() {
        case .number(let label) where label.exponent == 0: return SenMLField(rawValue: label.mantissa)
        case .text(let label):
            // Text labels are for extensions; the specification's own, spelt out, would silently lose their values.
            guard SenMLField(label: label) == nil else { throw InputFault(.wrongType, at: start) }
            guard !SenMLField.isMandatory(label) else { throw InputFault(.mandatoryField, at: start) }
            return nil
        default: throw InputFault(.wrongType, at: start)
        }
    }

    private static func unit(_ text: UnsafeBufferPointer<UInt8>, at offset: Int) throws(InputFault) -> UnitSymbol {
        guard let unit = UnitSymbol(text) else { throw InputFault(.badUnit, at: offset) }
        return unit
    }
}
