// Reading settings from an object (JSON options, policies): each field is asked for by name and
// type, and `finish` refuses what nobody asked for, so that a misspelt setting is never silently
// ignored.

/// The fields of one settings object that are not read yet.
struct OptionFields {
    private let document: Document
    /// What messages call the object: "options", "collection \"users\"".
    private let place: String
    private var known: Set<String> = []

    init(_ document: Document, of place: String) {
        self.document = document
        self.place = place
    }

    /// The value; nil where it is missing or null.
    mutating func value(_ name: String) -> Value? {
        known.insert(name)
        guard let value = document[name], !value.isNull else { return nil }
        return value
    }

    mutating func string(_ name: String) throws -> String {
        guard let text = try optionalString(name) else { throw missing(name) }
        return text
    }

    mutating func optionalString(_ name: String) throws -> String? {
        guard let value = value(name) else { return nil }
        guard let text = value.stringValue else { throw wrong(name, "must be a string") }
        return text
    }

    mutating func flag(_ name: String) throws -> Bool? {
        guard let value = value(name) else { return nil }
        guard let flag = value.boolValue else { throw wrong(name, "must be true or false") }
        return flag
    }

    mutating func integer(_ name: String) throws -> Int? {
        guard let value = value(name) else { return nil }
        guard let number = value.intValue else { throw wrong(name, "must be an integer") }
        return number
    }

    mutating func positive(_ name: String) throws -> Int? {
        guard let number = try integer(name) else { return nil }
        guard number > 0 else { throw wrong(name, "must be above 0") }
        return number
    }

    mutating func positiveNumber(_ name: String) throws -> Double? {
        guard let value = value(name) else { return nil }
        guard let number = value.doubleValue, number > 0, number.isFinite else {
            throw wrong(name, "must be a number above 0")
        }
        return number
    }

    mutating func strings(_ name: String) throws -> [String]? {
        guard let value = value(name) else { return nil }
        guard let elements = value.arrayValue else {
            throw wrong(name, "must be a list of strings")
        }
        return try elements.map { element in
            guard let text = element.stringValue else {
                throw wrong(name, "must be a list of strings")
            }
            return text
        }
    }

    mutating func object(_ name: String) throws -> Document? {
        guard let value = value(name) else { return nil }
        guard let object = value.objectValue else { throw wrong(name, "must be an object") }
        return object
    }

    mutating func objects(_ name: String) throws -> [Document]? {
        guard let value = value(name) else { return nil }
        guard let elements = value.arrayValue else {
            throw wrong(name, "must be a list of objects")
        }
        return try elements.map { element in
            guard let object = element.objectValue else {
                throw wrong(name, "must be a list of objects")
            }
            return object
        }
    }

    /// Throws for a field that nobody asked for.
    func finish() throws {
        for name in document.fieldNames where !known.contains(name) {
            let known = known.sorted().joined(separator: ", ")
            throw OfflineError(
                .invalidOptions, "\(place): unknown name \"\(name)\"; known are \(known)")
        }
    }

    func missing(_ name: String) -> OfflineError {
        OfflineError(.invalidOptions, "\(place): \(name) is missing")
    }

    func wrong(_ name: String, _ problem: String) -> OfflineError {
        OfflineError(.invalidOptions, "\(place): \(name) \(problem)")
    }
}
