// Sealing while encoding, and opening in place, against what is done value by value to whole documents.
import OfflineBytes
import Testing

@testable import OfflineDocuments

/// Seals by turning bytes around. The key's id is the path's number.
private final class TurningSealer: FieldSealer {
    let fields: FieldTree
    init(_ fields: FieldTree) { self.fields = fields }

    private static func token(_ path: Int) -> UInt8 { path % 2 == 0 ? SealedValue.tokenBit : 0 }

    func overhead(ofPath path: Int) -> Int {
        SealedValue.sealedOffset(Self.token(path)) + SealedValue.tagLength
    }

    func seal(
        _ plaintext: UnsafeRawBufferPointer, _ value: EncodedValue, path: Int,
        into payload: UnsafeMutableRawBufferPointer
    ) {
        let bytes = unsafe Self.payload(Array(plaintext), path, isArray: value.kind == .array)
        unsafe payload.copyBytes(from: bytes)
    }

    static func payload(_ plaintext: [UInt8], _ path: Int, isArray: Bool) -> [UInt8] {
        let form = 1 | token(path) | (isArray ? SealedValue.arrayBit : 0)
        var bytes = [UInt8](repeating: 0, count: SealedValue.sealedOffset(form))
        bytes[0] = form
        bytes[SealedValue.keyIDOffset] = UInt8(path)
        return bytes + plaintext.reversed() + [UInt8](repeating: 0, count: SealedValue.tagLength)
    }

    static func open(
        _ path: Int, _ payload: UnsafeRawBufferPointer, _ plaintext: UnsafeMutableRawBufferPointer
    ) {
        #expect(unsafe payload[SealedValue.keyIDOffset] == UInt8(path))
        let start = unsafe SealedValue.sealedOffset(payload[0])
        unsafe plaintext.copyBytes(from: payload[start...].prefix(plaintext.count).reversed())
    }
}

/// Records with sealed values.
struct FieldSealingTests {
    private static let names = ["a", "b", "c", String(repeating: "long", count: 20), "d", "é"]

    private static func tree(_ paths: [String], _ kept: (Int) -> Bool = { _ in true }) throws
        -> FieldTree
    {
        FieldTree(
            try paths.enumerated().filter { kept($0.offset) }.map {
                ($0.offset, try FieldPath($0.element))
            })
    }

    /// The value with what is at the path sealed: what encoding must give.
    private func sealed(_ value: Value, _ path: ArraySlice<String>, _ number: Int) throws -> Value {
        guard let name = path.first else {
            if value.isNull || value.sealed != nil { return value }
            var encoder = RecordEncoder.inliningNames
            let plaintext = try encoder.encode(Document(fields: [("", value)]))
            let payload = TurningSealer.payload(plaintext, number, isArray: value.kind == .array)
            return .object(Document(sealed: try #require(SealedValue(payload: payload))))
        }
        switch value {
        case .object(var document):
            if let field = document[name] {
                document[name] = try sealed(field, path.dropFirst(), number)
            }
            return .object(document)
        case .array(let elements): return .array(try elements.map { try sealed($0, path, number) })
        default: return value
        }
    }

    private func sealed(_ document: Document, _ paths: [String]) throws -> Document {
        var value = Value.object(document)
        for (number, path) in paths.enumerated() {
            value = try sealed(value, path.split(separator: ".").map(String.init)[...], number)
        }
        guard case .object(let result) = value else { return document }
        return result
    }

    private func opened(
        _ record: [UInt8], _ names: NameDictionary, _ tree: FieldTree
    ) throws -> TestRecord {
        let opener = RecordOpener()
        return try unsafe record.withUnsafeBytes { bytes in
            try unsafe opener.withOpened(
                RecordView(bytes, names: names), tree,
                {
                    unsafe TurningSealer.open($0, $1, $2)
                    return true
                },
                { opened in
                    let bytes = unsafe [UInt8](
                        UnsafeRawBufferPointer(
                            start: opened.root.start - 1, count: opened.root.length + 1))
                    return try TestRecord(bytes: bytes, names: names)
                })
        }
    }

    private struct Case {
        var random: SeededGenerator
        let paths: [String]
        let document: Document

        init(_ seed: Int) {
            random = SeededGenerator(seed: UInt64(seed))
            paths = Self.paths(&random)
            document = Self.document(3, &random)
        }

        /// None begins with another one.
        private static func paths(_ random: inout SeededGenerator) -> [String] {
            var paths: [String] = []
            for _ in 0..<1 + random.below(4) {
                var path: [String] = []
                for _ in 0..<1 + random.below(3) { path.append(random.pick(names)) }
                let text = path.joined(separator: ".")
                let overlaps = paths.contains {
                    text == $0 || text.hasPrefix($0 + ".") || $0.hasPrefix(text + ".")
                }
                if !overlaps { paths.append(text) }
            }
            return paths
        }

        static func value(_ depth: Int, _ random: inout SeededGenerator) -> Value {
            if depth == 0 || random.chance(1, in: 3) { return random.value(depth: 1) }
            if random.chance(1, in: 3) {
                return .array((0..<random.below(4)).map { _ in value(depth - 1, &random) })
            }
            return .object(document(depth - 1, &random))
        }

        static func document(_ depth: Int, _ random: inout SeededGenerator) -> Document {
            var document = Document()
            for _ in 0..<random.below(6) {
                document[random.pick(names)] = value(depth, &random)
            }
            return document
        }
    }

    @Test func `random documents are sealed as value by value, and opened as they were`() throws {
        for seed in 0..<500 {
            var random = Case(seed)
            let (paths, document) = (random.paths, random.document)
            let tree = try Self.tree(paths)
            let base = try TestRecord(Case.document(1, &random.random)).names
            var reference = RecordEncoder(dictionary: base)
            let expected = try reference.encode(sealed(document, paths))
            var encoder = RecordEncoder(dictionary: base, sealer: TurningSealer(tree))
            let record = try encoder.encode(document)
            #expect(record == expected, "seed \(seed): \(paths) of \(document)")
            #expect(encoder.newNames == reference.newNames, "seed \(seed)")
            #expect(encoder.isVerbatim, "seed \(seed)")
            let names = encoder.dictionary
            let whole = try opened(record, names, tree)
            #expect(whole.document.isIdentical(to: document), "seed \(seed): \(paths)")
            // A part first, then the rest of what that left.
            let part = try Self.tree(paths) { $0 % 2 == 0 }
            let half = try opened(record, names, part)
            #expect(try opened(half.bytes, names, tree).bytes == whole.bytes, "seed \(seed)")
            // What is half open is sealed again, with what is sealed still as it is.
            let again = try encoder.encode(half.document)
            #expect(again == record, "seed \(seed): \(paths) of \(document)")
            let isSealed = unsafe half.withRoot {
                unsafe tree.contents(of: $0, names).contains(.sealed)
            }
            #expect(encoder.isVerbatim == !isSealed, "seed \(seed)")
            #expect(tree.hasSealed(in: half.document) == isSealed, "seed \(seed)")
            #expect(tree.hasSealed(in: half.document.listed) == isSealed, "seed \(seed)")
        }
    }

    @Test func `documents in any form are sealed alike`() throws {
        for seed in 0..<500 {
            var random = Case(seed)
            let (paths, document) = (random.paths, random.document)
            let sealer = TurningSealer(try Self.tree(paths))
            let plain = try TestRecord(document)
            var reference = RecordEncoder(dictionary: plain.names)
            let expected = try reference.encode(sealed(document, paths))
            let other = try TestRecord(
                document, dictionary: NameDictionary(Self.names.reversed()))
            var forms = [plain.document, other.document]
            // A stored document, changed.
            var changed = plain.document
            for name in Self.names where random.random.chance(1, in: 3) {
                if let value = document[name] { changed[name] = value }
            }
            forms.append(changed)
            for (number, form) in forms.enumerated() {
                var encoder = RecordEncoder(dictionary: plain.names, sealer: sealer)
                let record = try encoder.encode(form)
                #expect(record == expected, "seed \(seed), form \(number): \(paths), \(document)")
                #expect(encoder.isVerbatim, "seed \(seed), form \(number)")
            }
            // A record that is sealed, with other values of some fields.
            let sealedRecord = try TestRecord(bytes: expected, names: reference.dictionary)
            var merged = sealedRecord.document
            var wanted = document
            for name in Self.names where random.random.chance(1, in: 3) {
                let value = Case.value(2, &random.random)
                merged[name] = value
                wanted[name] = value
            }
            var encoder = RecordEncoder(dictionary: sealedRecord.names, sealer: sealer)
            let record = try encoder.encode(merged)
            var second = RecordEncoder(dictionary: sealedRecord.names)
            #expect(try record == second.encode(sealed(wanted, paths)), "seed \(seed): \(paths)")
        }
    }

    @Test func `objects become wide and narrow again`() throws {
        let text = String(repeating: "t", count: 65_500)
        for document: Document in [
            ["a": ["b": "x", "c": .string(text)], "d": [["b": "y"], ["b": "z", "é": 1]]],
            ["d": [["b": .string(text)]], "a": ["c": 1, "b": 2]],
        ] {
            let tree = try Self.tree(["a.b", "d.b"])
            var encoder = RecordEncoder(dictionary: .empty, sealer: TurningSealer(tree))
            let record = try TestRecord(document, &encoder)
            #expect(
                try opened(record.bytes, record.names, tree).bytes == TestRecord(document).bytes)
        }
    }

    @Test func `what is too deep in a sealed field is refused without a word about it`() throws {
        func nested(_ levels: Int) -> Value {
            (0..<levels).reduce(1) { value, _ in .object(["secret": value]) }
        }
        let tree = try Self.tree(["a", "list.a"])
        func encode(_ document: Document) throws -> TestRecord {
            var encoder = RecordEncoder(dictionary: .empty, sealer: TurningSealer(tree))
            return try TestRecord(document, &encoder)
        }
        let deepest = try encode(["a": nested(RecordLimits.depthMax - 1)])
        _ = try opened(deepest.bytes, deepest.names, tree)
        let inList = try encode(["list": [["a": nested(RecordLimits.depthMax - 3)]]])
        _ = try opened(inList.bytes, inList.names, tree)
        for document: Document in [
            ["a": nested(RecordLimits.depthMax)],
            ["list": [["a": nested(RecordLimits.depthMax - 2)]]],
        ] {
            let error = #expect(throws: OfflineError.self) { _ = try encode(document) }
            #expect(error?.code == .invalidDocument)
            #expect(error?.message.contains("secret") == false, "\(error?.message ?? "")")
        }
    }
}

extension Document {
    /// The same as a list of fields; what is in them stays as it is.
    fileprivate var listed: Document { Document(fields: map { ($0.name, $0.value) }) }
}
