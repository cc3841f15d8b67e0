// Paths of names, joined where they begin alike: which of a record's fields are sealed.
//
// At an object a path steps to the field of its name. At an array it goes on in each element, in an array among them too. Where it
// ends, what is there is one value, an array too. It steps into nothing else.
//
// Invariant: no path goes on where another one ends, so a tree is a path's end or has branches, never both.
package import OfflineBytes

/// A set of paths, to be followed in a record's values.
package final class FieldTree: Sendable {
    struct Branch: Sendable {
        let name: String
        let tree: FieldTree
    }
    /// In the order of the paths.
    let branches: [Branch]
    /// The number of the path that ends here; nil where none does.
    let path: Int?

    /// The paths, each known by its number. Of one and another that begins with it, the first counts.
    package convenience init(_ paths: [(number: Int, path: FieldPath)]) {
        self.init(paths.map { ($0.number, $0.path.components.map(\.name)) })
    }

    private init(_ paths: [(number: Int, names: [String])]) {
        if let first = paths.first, first.names.isEmpty {
            path = first.number
            branches = []
            return
        }
        path = nil
        var groups: [(name: String, paths: [(number: Int, names: [String])])] = []
        for (number, names) in paths {
            guard let name = names.first else { continue }
            let rest = (number, Array(names.dropFirst()))
            if let place = groups.firstIndex(where: { $0.name.hasSameUTF8(as: name) }) {
                groups[place].paths.append(rest)
            } else {
                groups.append((name, [rest]))
            }
        }
        branches = groups.map { Branch(name: $0.name, tree: FieldTree($0.paths)) }
    }

    func branch(_ name: String) -> FieldTree? {
        branches.first { $0.name.hasSameUTF8(as: name) }?.tree
    }
}

/// What there is at the paths of a tree.
package struct FieldContents: OptionSet, Sendable {
    package let rawValue: UInt8

    package init(rawValue: UInt8) { self.rawValue = rawValue }

    /// A sealed value.
    package static let sealed = FieldContents(rawValue: 1)
    /// A value that is neither sealed nor null.
    package static let open = FieldContents(rawValue: 2)
}

extension FieldTree {
    /// What a value has at the paths. The recursion is bounded by the value's depth.
    @unsafe
    package func contents(of value: EncodedValue, _ names: NameDictionary) -> FieldContents {
        let tag = unsafe value.tag
        if path != nil {
            return tag == ValueTag.sealed ? .sealed : tag == ValueTag.null ? [] : .open
        }
        var found: FieldContents = []
        if ValueTag.isObject(tag) {
            for branch in branches {
                guard let field = unsafe value.field(FieldName(branch.name, in: names)) else {
                    continue
                }
                unsafe found.formUnion(branch.tree.contents(of: field, names))
            }
        } else if ValueTag.isArray(tag) {
            for index in 0..<(unsafe value.count) {
                unsafe found.formUnion(contents(of: value.element(index), names))
            }
        }
        return found
    }

    /// Whether a record has a value, other than null, at one of the paths, of whose number and which `isMeant` holds.
    @unsafe
    package func contains(in record: RecordView, where isMeant: (Int, EncodedValue) -> Bool) -> Bool
    {
        unsafe contains(in: record.root, record.names, where: isMeant)
    }

    private func contains(
        in value: EncodedValue, _ names: NameDictionary, where isMeant: (Int, EncodedValue) -> Bool
    ) -> Bool {
        let tag = unsafe value.tag
        if let path { return unsafe tag != ValueTag.null && isMeant(path, value) }
        if ValueTag.isObject(tag) {
            return branches.contains { branch in
                guard let field = unsafe value.field(FieldName(branch.name, in: names)) else {
                    return false
                }
                return unsafe branch.tree.contains(in: field, names, where: isMeant)
            }
        }
        guard ValueTag.isArray(tag) else { return false }
        return (0..<(unsafe value.count)).contains { index in
            unsafe contains(in: value.element(index), names, where: isMeant)
        }
    }

    /// Whether a value has a sealed value at one of the paths.
    func hasSealed(in value: Value) -> Bool {
        if path != nil { return value.sealed != nil }
        switch value {
        case .array(let elements): return elements.contains(where: hasSealed)
        case .object(let document): return hasSealed(in: document)
        default: return false
        }
    }

    /// Whether a document has a sealed value at one of the paths.
    package func hasSealed(in document: Document) -> Bool {
        if case .stored(let object) = document.storage {
            return unsafe object.withEncoded {
                unsafe contents(of: $0, object.record.names).contains(.sealed)
            }
        }
        return branches.contains { branch in
            document[branch.name].map(branch.tree.hasSealed) ?? false
        }
    }

    /// The document without the sealed values at the paths.
    package func removingSealed(from document: Document) -> Document {
        var result = document
        for branch in branches {
            guard let value = document[branch.name] else { continue }
            result[branch.name] = branch.tree.removingSealed(from: value)
        }
        return result
    }

    /// The same, of what is at the paths' common beginning; nil where that is sealed itself.
    private func removingSealed(from value: Value) -> Value? {
        if path != nil { return value.sealed == nil ? value : nil }
        return switch value {
        case .array(let elements): .array(elements.compactMap(removingSealed))
        case .object(let document): .object(removingSealed(from: document))
        default: value
        }
    }
}
