// The tiny reader, part 3: FORMAT.md's "Catalog" and "Definitions".

/// A catalog, as far as a reader needs it.
struct TinyCatalog {
    struct Tree {
        var number: UInt32
        var root: UInt64
        var count: UInt64
        var bytes: UInt64
    }
    struct Collection {
        var number: UInt32
        var definition: [UInt8]
        var names: [String]
        var trees: [Tree]
    }
    struct File {
        var number: UInt32
        var isTree: Bool
        var isStaged: Bool
        var length: Int
        /// By collection.
        var live: [UInt32: UInt64]
        var baseSequence: UInt64 = 0
    }
    var applicationVersion: UInt64
    var nextSequence: UInt64
    var nextFileNumber: UInt64
    var collections: [Collection] = []
    var files: [File] = []

    init(_ body: [UInt8]) throws {
        var cursor = try TinyCursor(body)
        applicationVersion = try cursor.varint()
        nextSequence = try cursor.varint()
        nextFileNumber = try cursor.number(0...0xFFFF_FFFF)
        for _ in 0..<(try cursor.count()) {
            let collection = try Collection(&cursor)
            guard collections.last.map({ $0.number < collection.number }) ?? true else {
                throw TinyDamage("collections are out of order", offset: cursor.offset)
            }
            collections.append(collection)
        }
        for _ in 0..<(try cursor.count()) {
            let file = try File(&cursor)
            guard files.last.map({ $0.number < file.number }) ?? true else {
                throw TinyDamage("files are out of order", offset: cursor.offset)
            }
            files.append(file)
        }
        try cursor.expectEnd()
    }
}

extension TinyCatalog {
    static func names(_ cursor: inout TinyCursor) throws -> [String] {
        var names: [String] = []
        for _ in 0..<(try cursor.number(0...4096)) { names.append(try cursor.text()) }
        return names
    }

    /// Live bytes of a file, by collection.
    static func live(_ cursor: inout TinyCursor) throws -> [UInt32: UInt64] {
        var live: [UInt32: UInt64] = [:]
        var last: UInt32 = 0
        for _ in 0..<(try cursor.count()) {
            let number = UInt32(try cursor.number(1...1 << 20))
            guard number > last else { throw TinyDamage("collections out of order") }
            last = number
            live[number] = try cursor.number(0...1 << 34)
        }
        return live
    }

    /// The trees of a collection.
    static func trees(_ cursor: inout TinyCursor) throws -> [Tree] {
        var trees: [Tree] = []
        for position in 0..<(try cursor.count()) {
            let tree = Tree(
                number: UInt32(try cursor.number(0...0xFFFF_FFFF)), root: try cursor.u64(),
                count: try cursor.varint(), bytes: try cursor.number(0...1 << 62))
            guard (tree.number == 0) == (position == 0),
                trees.last.map({ $0.number < tree.number }) ?? true,
                tree.root == 0
                    ? tree.count == 0 && tree.bytes == 0 : tree.root & 1 == 1 && tree.count > 0
            else { throw TinyDamage("a tree's entry is impossible", offset: cursor.offset) }
            trees.append(tree)
        }
        if trees.isEmpty { throw TinyDamage("no primary tree", offset: cursor.offset) }
        return trees
    }
}

extension TinyCatalog.Collection {
    init(_ cursor: inout TinyCursor) throws {
        number = UInt32(try cursor.number(1...1 << 20))
        definition = try cursor.blob()
        names = try TinyCatalog.names(&cursor)
        trees = try TinyCatalog.trees(&cursor)
    }
}

extension TinyCatalog.File {
    init(_ cursor: inout TinyCursor) throws {
        number = UInt32(try cursor.number(1...0xFFFF_FFFF))
        let kind = try cursor.u8()
        guard kind < 4 else { throw TinyDamage("an unknown kind of file", offset: cursor.offset) }
        isTree = kind & 1 != 0
        isStaged = kind & 2 != 0
        length = Int(try cursor.number(0...1 << 34))
        live = try TinyCatalog.live(&cursor)
        if isStaged { baseSequence = try cursor.varint() }
    }
}

/// What a definition says that a reader of documents and indexes needs.
struct TinyDefinition {
    /// What the collection is for.
    enum Kind: Equatable {
        case records
        /// The changes of another collection.
        case changes(of: UInt32, from: UInt64)
        /// When another collection's records were used; the number of the tree in order, if there is one.
        case access(of: UInt32, tree: UInt32?)
        case store
    }
    struct Index {
        var number: UInt32
        var name: String
        /// Each path's names.
        var paths: [[String]]
        var isMultiEntry = false
        var isCaseInsensitive = false
        var isFullText = false
        /// Nil where all records have entries.
        var filter: TinyJSON?
    }
    var kind = Kind.records
    var name = ""
    var keyPaths: [String] = []
    var indexes: [Index] = []
    var tracksChanges = false

    init(_ bytes: [UInt8]) throws {
        let json = try TinyJSON(bytes)
        guard case .number(1)? = json["version"] else {
            throw TinyDamage("a definition of another version")
        }
        if let kind = json["kind"] {
            self.kind = try Self.kind(kind, json)
            return
        }
        guard case .number(1)? = json["derivation"] else {
            throw TinyDamage("a definition with another derivation")
        }
        if case .bool(true)? = json["tracksChanges"] { tracksChanges = true }
        guard case .string(let name)? = json["name"],
            let keyPaths = json["keyPaths"]?.strings, case .array(let indexes)? = json["indexes"]
        else { throw TinyDamage("a definition lacks members") }
        self.name = name
        self.keyPaths = keyPaths
        for index in indexes {
            guard case .number(let number)? = index["number"], number > 0,
                let number = UInt32(exactly: number), case .string(let name)? = index["name"],
                let paths = index["keyPaths"]?.strings
            else { throw TinyDamage("an index's definition lacks members") }
            var kind = Index(
                number: number, name: name,
                paths: paths.map { $0.split(separator: ".").map(String.init) },
                filter: index["where"])
            if case .bool(true)? = index["multiEntry"] { kind.isMultiEntry = true }
            if case .string("case-insensitive")? = index["collation"] {
                kind.isCaseInsensitive = true
            }
            if case .string("full-text")? = index["type"] { kind.isFullText = true }
            self.indexes.append(kind)
        }
    }

    private static func kind(_ kind: TinyJSON, _ json: TinyJSON) throws -> Kind {
        switch (kind, json["of"], json["from"]) {
        case (.string("store"), nil, nil): return .store
        case (.string("changes"), .number(let owner)?, .number(let from)?):
            guard let owner = UInt32(exactly: owner), let from = UInt64(exactly: from) else {
                break
            }
            return .changes(of: owner, from: from)
        case (.string("access"), .number(let owner)?, nil):
            let trees: [String: UInt32] = ["used": 1, "frequency": 2, "created": 3, "written": 4]
            guard let owner = UInt32(exactly: owner), case .string(let order)? = json["order"],
                order == "none" || trees[order] != nil
            else { break }
            return .access(of: owner, tree: trees[order])
        default: break
        }
        throw TinyDamage("a definition of an unknown kind")
    }
}

/// JSON, as much of it as definitions have: no fractions, no exponents.
indirect enum TinyJSON {
    case null
    case bool(Bool)
    case number(Int64)
    case string(String)
    case array([TinyJSON])
    case object([String: TinyJSON])

    init(_ bytes: [UInt8]) throws {
        var parser = TinyJSONParser(rest: bytes[...])
        self = try parser.value()
        parser.skipBlanks()
        guard parser.rest.isEmpty else { throw TinyDamage("JSON goes on behind its end") }
    }

    subscript(name: String) -> TinyJSON? {
        if case .object(let members) = self { members[name] } else { nil }
    }

    var strings: [String]? {
        guard case .array(let elements) = self else { return nil }
        let strings = elements.compactMap { if case .string(let text) = $0 { text } else { nil } }
        return strings.count == elements.count ? strings : nil
    }
}

private struct TinyJSONParser {
    var rest: ArraySlice<UInt8>

    mutating func skipBlanks() {
        while let byte = rest.first, [0x20, 0x09, 0x0A, 0x0D].contains(byte) { rest.removeFirst() }
    }

    /// Whether `text` comes next; passes over it.
    private mutating func accept(_ text: String) -> Bool {
        skipBlanks()
        guard rest.starts(with: text.utf8) else { return false }
        rest.removeFirst(text.utf8.count)
        return true
    }

    private mutating func expect(_ text: String) throws {
        if !accept(text) { throw TinyDamage("JSON lacks \(text)", offset: rest.startIndex) }
    }

    mutating func value() throws -> TinyJSON {
        if accept("null") { return .null }
        if accept("true") { return .bool(true) }
        if accept("false") { return .bool(false) }
        if accept("\"") { return .string(try string()) }
        if accept("[") { return .array(try list("]") { try $0.value() }) }
        if accept("{") {
            let members = try list("}") { parser in
                try parser.expect("\"")
                let name = try parser.string()
                try parser.expect(":")
                return (name, try parser.value())
            }
            return .object(Dictionary(members) { _, last in last })
        }
        let digits = rest.prefix { $0 == 0x2D || (0x30...0x39).contains($0) }
        rest = rest.dropFirst(digits.count)
        guard let number = Int64(String(decoding: digits, as: UTF8.self)) else {
            throw TinyDamage("JSON has no value", offset: rest.startIndex)
        }
        return .number(number)
    }

    private mutating func list<Element>(
        _ end: String, _ element: (inout TinyJSONParser) throws -> Element
    ) throws -> [Element] {
        var elements: [Element] = []
        if accept(end) { return elements }
        repeat { elements.append(try element(&self)) } while accept(",")
        try expect(end)
        return elements
    }

    /// The rest of a string behind its first quote.
    private mutating func string() throws -> String {
        var text: [UInt8] = []
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "\"") {
                guard let string = String(validating: text, as: UTF8.self) else { break }
                return string
            }
            text += byte == UInt8(ascii: "\\") ? try escaped() : [byte]
        }
        throw TinyDamage("JSON has a string without an end", offset: rest.startIndex)
    }

    private mutating func escaped() throws -> [UInt8] {
        let plain: [UInt8: UInt8] = [
            UInt8(ascii: "b"): 8, UInt8(ascii: "t"): 9, UInt8(ascii: "n"): 10,
            UInt8(ascii: "f"): 12, UInt8(ascii: "r"): 13, UInt8(ascii: "\""): 0x22,
            UInt8(ascii: "\\"): 0x5C, UInt8(ascii: "/"): 0x2F,
        ]
        guard let byte = rest.popFirst() else { throw TinyDamage("JSON ends in an escape") }
        if let character = plain[byte] { return [character] }
        let high = try unit(byte)
        if (0xD800..<0xDC00).contains(high), rest.popFirst() == UInt8(ascii: "\\") {
            let low = try unit(rest.popFirst())
            if (0xDC00..<0xE000).contains(low) {
                return try utf8(0x10000 + (high - 0xD800) << 10 + (low - 0xDC00))
            }
        }
        return try utf8(high)
    }

    /// The four digits behind `u`.
    private mutating func unit(_ letter: UInt8?) throws -> UInt32 {
        let digits = rest.prefix(4)
        rest = rest.dropFirst(digits.count)
        guard letter == UInt8(ascii: "u"), digits.count == 4,
            let unit = UInt32(String(decoding: digits, as: UTF8.self), radix: 16)
        else { throw TinyDamage("JSON has an unknown escape", offset: rest.startIndex) }
        return unit
    }

    private func utf8(_ scalar: UInt32) throws -> [UInt8] {
        guard let scalar = Unicode.Scalar(scalar) else {
            throw TinyDamage("JSON has half a character", offset: rest.startIndex)
        }
        return Array(String(Character(scalar)).utf8)
    }
}
