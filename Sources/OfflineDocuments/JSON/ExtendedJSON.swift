// JSON that loses nothing of a value: for query operands, export and import. Where plain JSON has no form of its own for a
// value, an object with one field of these names stands for it:
//
//     {"$date": "2024-02-29T12:00:00.5Z"}   a date; "@" and a number: seconds since 2001-01-01T00:00:00Z, for what has no ISO text
//     {"$data": "AAEC"}                     data, as base64
//     {"$double": "NaN"}                    NaN, "Infinity", "-Infinity"
//     {"$object": {"$date": "…"}}           an object that has one field of such a name itself, and stands for no other value
//
// An object with more fields than one always stands for itself.
internal import Foundation

package enum ExtendedJSON {
    static let dateName = "$date"
    static let dataName = "$data"
    static let doubleName = "$double"
    static let objectName = "$object"
    private static let names = [dateName, dataName, doubleName, objectName]

    /// Whether `document` stands for another value: it has one field, of one of the names above.
    package static func isTagged(_ document: Document) -> Bool {
        guard document.count == 1, let name = document.fieldNames.first else { return false }
        return names.contains(name)
    }

    /// `value` with every object in it that stands for another value replaced by that value.
    ///
    /// An operand that isn't what its name takes is an error of this code; the message has the path.
    package static func resolve(
        _ value: Value, otherwise code: OfflineError.Code = .invalidQuery
    ) throws(OfflineError) -> Value {
        do throws(Failure) {
            return try resolve(value)
        } catch {
            let path = error.path.reversed().joined(separator: ".")
            throw OfflineError(code, error.message + (path.isEmpty ? "" : ", at \(path)"))
        }
    }

    /// What is wrong with an object that should stand for another value, and where, the innermost name first.
    private struct Failure: Error {
        let message: String
        var path: [String] = []

        /// The same, seen from one level up.
        func within(_ component: String) -> Failure {
            Failure(message: message, path: path + [component])
        }
    }

    private static func resolve(_ value: Value) throws(Failure) -> Value {
        switch value {
        case .array(let elements):
            var result: [Value] = []
            result.reserveCapacity(elements.count)
            for (index, element) in elements.enumerated() {
                do { result.append(try resolve(element)) } catch { throw error.within("\(index)") }
            }
            return .array(result)
        case .object(let document):
            guard isTagged(document), let name = document.fieldNames.first,
                let operand = document[name]
            else { return try resolveFields(document) }
            return try resolve(name, operand)
        default: return value
        }
    }

    private static func resolveFields(_ document: Document) throws(Failure) -> Value {
        var fields: [(String, Value)] = []
        fields.reserveCapacity(document.count)
        for (name, value) in document {
            do { fields.append((name, try resolve(value))) } catch { throw error.within(name) }
        }
        return .object(Document(fields: fields))
    }

    private static func resolve(_ name: String, _ operand: Value) throws(Failure) -> Value {
        switch (name, operand) {
        case (dateName, .string(let text)):
            if let date = date(text) { return .date(date) }
        case (dataName, .string(let text)):
            if let data = Data(base64Encoded: text) { return .data(data) }
        case (doubleName, .string(let text)):
            if let double = double(nonFinite: text) { return .double(double) }
        case (objectName, .object(let document)):
            do { return try resolveFields(document) } catch { throw error.within(name) }
        default: break
        }
        let wanted =
            switch name {
            case dateName: "an ISO 8601 date, such as \"2024-02-29T12:00:00Z\""
            case dataName: "a base64 text"
            case doubleName: "\"NaN\", \"Infinity\" or \"-Infinity\""
            default: "an object"
            }
        throw Failure(message: "\(name) takes \(wanted)")
    }

    // MARK: Texts

    /// What `$date` takes for a date: exactly this date when it is read.
    static func text(_ date: Date) -> String {
        let seconds = date.timeIntervalSinceReferenceDate
        // A NaN's own description has its payload, which isn't read back.
        if seconds.isNaN { return "@nan" }
        let isNegativeZero = seconds == 0 && seconds.sign == .minus
        return isNegativeZero ? "@-0.0" : ISO8601.text(date) ?? "@\(seconds)"
    }

    static func date(_ text: String) -> Date? {
        guard text.utf8.first == UInt8(ascii: "@") else { return ISO8601.date(text) }
        return Double(text.dropFirst()).map(Date.init(timeIntervalSinceReferenceDate:))
    }

    static func text(nonFinite double: Double) -> String {
        double.isNaN ? "NaN" : double > 0 ? "Infinity" : "-Infinity"
    }

    static func double(nonFinite text: String) -> Double? {
        switch text {
        case "NaN": .nan
        case "Infinity": .infinity
        case "-Infinity": -.infinity
        default: nil
        }
    }
}
