// Reads a JSON Schema into the tables of a SchemaProgram. Recursive descent, bounded by the depth that a document may have; each
// schema within the schema is read once, where it stands. What refers to one is noted, and filled in by SchemaLinker.
//
// A mistake is `.invalidOptions`, and names the place as a JSON pointer: a keyword that isn't known, a value that a keyword doesn't
// take, a pattern that can't be compiled, a reference that leads nowhere.
internal import OfflineBytes
import OfflineDocuments

/// Compiles one schema.
struct SchemaCompiler {
    /// What a schema may take, encoded as a record. It is in the store's catalog, of which each log file has a copy.
    static let byteCountMax = 256 << 10
    /// Each may have as many parts as any pattern.
    static let patternsMax = 256

    private(set) var nodes: [SchemaProgram.Node] = []
    private(set) var rules: [SchemaProgram.Rule] = []
    var lists: [Int] = []
    var properties: [SchemaProgram.Property] = []
    var operands: [EncodedOperand] = []
    var divisors: [SchemaDivisor] = []
    var patterns: [Pattern] = []
    private(set) var names: [String] = []
    var nameSets: [[Int]] = []
    private(set) var pointers: [String] = []
    private var numbers: [ExactString: Int] = [:]

    /// Where schemas are, by pointer.
    private(set) var locations: [ExactString: Int] = [:]
    /// Pointers to what has an `$id`, and to the whole.
    private(set) var resources: [SchemaURI: String] = [:]
    private(set) var anchors: [Anchor: Int] = [:]
    var references: [Reference] = []

    struct Anchor: Hashable {
        let uri: SchemaURI
        let name: ExactString
    }

    /// A `$ref`, and the place in `lists` where its node belongs.
    struct Reference {
        let text: String
        let base: SchemaURI
        let list: Int
        let pointer: String
    }

    /// Where in the schema the compiler is.
    struct Place {
        var pointer = ""
        var base = SchemaURI()
        /// The keyword that the schema here belongs to.
        var keyword = SchemaKeyword.not

        func appending(_ name: String) -> Place {
            var result = self
            result.pointer = SchemaPointer.appending(name, to: pointer)
            return result
        }
    }

    /// Compiles the whole.
    mutating func compile(_ schema: Value) throws(OfflineError) {
        do throws(OfflineError) {
            let encoded = try EncodedOperand(schema)
            let byteCount = unsafe encoded.encoded.byteCount
            guard byteCount <= SchemaCompiler.byteCountMax else {
                throw problem(
                    "takes \(byteCount) bytes; \(SchemaCompiler.byteCountMax) are allowed")
            }
        } catch {
            throw error.code == .invalidOptions ? error : problem(error.message)
        }
        resources[SchemaURI()] = ""
        _ = try node(schema, Place())
    }

    /// Compiles a schema; its node's number.
    mutating func node(_ schema: Value, _ place: Place) throws(OfflineError) -> Int {
        let number = nodes.count
        nodes.append(SchemaProgram.Node(rules: 0..<0))
        pointers.append(place.pointer)
        locations[ExactString(place.pointer)] = number
        var own: [SchemaProgram.Rule] = []
        switch schema {
        case .bool(true): break
        case .bool(false): own = [SchemaProgram.Rule(keyword: place.keyword, test: .never)]
        case .object(let document):
            var place = place
            try identify(document, number, &place)
            try checkNames(document, place)
            for keyword in SchemaKeyword.allCases {
                guard let value = document[keyword.rawValue] else { continue }
                var inner = place.appending(keyword.rawValue)
                inner.keyword = keyword
                if let test = try test(keyword, value, document, inner) {
                    own.append(SchemaProgram.Rule(keyword: keyword, test: test))
                }
            }
        default: throw problem("must be a schema: an object, true or false", place)
        }
        nodes[number].rules = rules.count..<rules.count + own.count
        rules += own
        return number
    }

    // MARK: Names and places

    /// Notes what the schema is called.
    private mutating func identify(
        _ document: Document, _ number: Int, _ place: inout Place
    ) throws(OfflineError) {
        if let value = document[SchemaKeyword.identifier.rawValue] {
            let inner = place.appending(SchemaKeyword.identifier.rawValue)
            guard let text = value.stringValue else { throw problem("must be a string", inner) }
            let (uri, fragment) = SchemaURI.parse(text)
            guard fragment ?? "" == "" else {
                throw problem("has a fragment; an anchor is named by $anchor", inner)
            }
            place.base = place.base.resolve(uri)
            if let other = resources.updateValue(place.pointer, forKey: place.base),
                other != place.pointer
            {
                throw problem("is the name of another schema already", inner)
            }
        }
        guard let value = document[SchemaKeyword.anchor.rawValue] else { return }
        let inner = place.appending(SchemaKeyword.anchor.rawValue)
        guard let text = value.stringValue, SchemaCompiler.isAnchor(text) else {
            throw problem("must be a name of letters, digits, - . and _", inner)
        }
        let anchor = Anchor(uri: place.base, name: ExactString(text))
        guard anchors.updateValue(number, forKey: anchor) == nil else {
            throw problem("is an anchor already", inner)
        }
    }

    private static func isAnchor(_ text: String) -> Bool {
        guard let first = text.utf8.first,
            ScalarSet.wordScalars.contains(UInt32(first)), !ScalarSet.digits.contains(UInt32(first))
        else { return false }
        return text.unicodeScalars.allSatisfy { scalar in
            ScalarSet.wordScalars.contains(scalar.value) || scalar == "-" || scalar == "."
        }
    }

    private func checkNames(_ document: Document, _ place: Place) throws(OfflineError) {
        for (name, value) in document where SchemaKeyword(rawValue: name) == nil {
            guard let kind = SchemaKeyword.annotations[name] else {
                throw problem("no such keyword is known", place.appending(name))
            }
            if let problem = SchemaKeyword.problem(in: value, of: kind) {
                throw self.problem(problem, place.appending(name))
            }
        }
    }

    /// The number of a name of fields.
    mutating func number(of name: String) -> Int {
        if let known = numbers[ExactString(name)] { return known }
        numbers[ExactString(name)] = names.count
        names.append(name)
        return names.count - 1
    }

    func problem(_ problem: String, _ place: Place = Place()) -> OfflineError {
        SchemaCompiler.problem(problem, place.pointer)
    }

    static func problem(_ problem: String, _ pointer: String) -> OfflineError {
        OfflineError(
            .invalidOptions,
            "validation" + (pointer.isEmpty ? "" : " at #\(pointer)") + ": \(problem)")
    }
}
