// Dotted paths, as filters, sorts, indexes and key paths write them.
package import OfflineBytes

/// One step of a path.
package struct PathComponent<Name: Sendable>: Sendable {
    /// The name that it steps to in an object.
    package let name: Name
    /// The position that it steps to in an array; nil where the name is no number.
    package let position: Int?
}

/// A parsed path: `address.city`, `tags.0`. Equal where its text is, byte by byte.
package struct FieldPath: Hashable, Sendable {
    package let text: String
    /// At least one.
    package let components: [PathComponent<String>]

    /// Parses a path. Throws `code` where a name in it is empty, or where it is longer than any record is deep.
    package init(_ text: String, code: OfflineError.Code = .invalidQuery) throws(OfflineError) {
        guard let components = FieldPath.components(of: text) else {
            throw OfflineError(
                code,
                "the path '\(text.prefix(200))' has an empty name, or over "
                    + "\(RecordLimits.depthMax) names, in it")
        }
        self.text = text
        self.components = components
    }

    /// The steps of a path; nil where a name in it is empty, or where it is longer than any record is deep (which bounds
    /// all that recurses along a path).
    static func components(of text: String) -> [PathComponent<String>]? {
        let names = text.utf8.split(
            separator: UInt8(ascii: "."), maxSplits: RecordLimits.depthMax,
            omittingEmptySubsequences: false)
        guard names.count <= RecordLimits.depthMax else { return nil }
        var components: [PathComponent<String>] = []
        components.reserveCapacity(names.count)
        for name in names {
            guard !name.isEmpty else { return nil }
            components.append(
                PathComponent(name: String(Substring(name)), position: position(name)))
        }
        return components
    }

    /// The number that a name is, written without leading zeros.
    private static func position(_ name: Substring.UTF8View) -> Int? {
        guard let first = name.first, first != UInt8(ascii: "0") || name.count == 1,
            name.allSatisfy({ UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 })
        else { return nil }
        return Int(Substring(name))
    }

    /// Whether it is a single name.
    package var isTopLevel: Bool { components.count == 1 }

    /// The path for records of one collection: with the ids of its names.
    package func compiled(in names: NameDictionary) -> CompiledPath {
        CompiledPath(
            components: components.map {
                PathComponent(name: FieldName($0.name, in: names), position: $0.position)
            })
    }

    package static func == (a: FieldPath, b: FieldPath) -> Bool { a.text.hasSameUTF8(as: b.text) }

    package func hash(into hasher: inout Hasher) { hasher.combine(text) }
}

/// A path for encoded records whose names a dictionary knows.
package struct CompiledPath: Sendable {
    /// At least one.
    package let components: [PathComponent<FieldName>]
}
