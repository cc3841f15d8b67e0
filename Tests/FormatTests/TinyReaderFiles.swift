// The tiny reader, part 2: FORMAT.md's "File header", "Frames", "Operations", "Staged files" and
// "Superblock".

/// The first 64 bytes of a numbered file.
struct TinyFileHeader {
    enum Kind { case log, tree }
    var kind: Kind
    var isStaged: Bool
    var store: [UInt8]
    var number: UInt32
    var previousEnd: UInt64
    var previousChain: UInt32
    var capacity: UInt64

    /// Nil for a file that was never used.
    init?(_ bytes: [UInt8]) throws {
        guard bytes.count >= 64, bytes[..<64].contains(where: { $0 != 0 }) else { return nil }
        var cursor = try TinyCursor(bytes, count: 64)
        switch try cursor.take(8) {
        case Array("OFFLOGF1".utf8): kind = .log
        case Array("OFFTREE1".utf8): kind = .tree
        default: throw TinyDamage("no magic number")
        }
        let version = try cursor.u32()
        let flags = try cursor.u32()
        store = try cursor.take(16)
        number = try cursor.u32()
        _ = try cursor.take(4)
        previousEnd = try cursor.u64()
        previousChain = try cursor.u32()
        capacity = try cursor.u64()
        guard try cursor.u32() == TinyChecksum.sum(bytes[..<60]) else {
            throw TinyDamage("a file header's checksum is wrong")
        }
        guard version == 1, flags < 2 else { throw TinyDamage("the file's version is unknown") }
        isStaged = flags == 1
    }
}

/// A frame, whole or only its header.
struct TinyFrame {
    enum Kind: UInt32 {
        case commit = 1
        case catalog, stagedPart, adoption
    }
    var kind: Kind
    var position: TinyPosition
    var bodyLength: Int
    var sequence: UInt64
    var durableThrough: UInt64
    var bodyChecksum: UInt32
    var operationCount: UInt32
    var chain: UInt32
    /// The header's checksum: the chain value behind the frame.
    var checksum: UInt32

    /// Where the next frame begins.
    var end: Int { position.offset + 64 + (bodyLength + 7) / 8 * 8 }

    /// The valid header at a place of a file; nil where there is none.
    init?(_ file: [UInt8], at position: TinyPosition, store: [UInt8]) throws {
        guard position.offset <= file.count - 64 else { return nil }
        var cursor = try TinyCursor(file, at: position.offset, count: 64)
        guard try cursor.take(4) == Array("OFRM".utf8),
            let kind = Kind(rawValue: try cursor.u32()), try cursor.take(8) == Array(store[..<8]),
            try cursor.u32() == position.file
        else { return nil }
        bodyLength = Int(try cursor.u32())
        guard try cursor.u64() == UInt64(position.offset) else { return nil }
        self.kind = kind
        self.position = position
        sequence = try cursor.u64()
        durableThrough = try cursor.u64()
        bodyChecksum = try cursor.u32()
        operationCount = try cursor.u32()
        chain = try cursor.u32()
        checksum = try cursor.u32()
        guard checksum == TinyChecksum.sum(file[position.offset..<position.offset + 60]) else {
            return nil
        }
    }

    /// The body; nil where it isn't whole.
    func body(_ file: [UInt8]) -> [UInt8]? {
        let start = position.offset + 64
        guard bodyLength <= file.count - start else { return nil }
        let body = file[start..<start + bodyLength]
        return TinyChecksum.sum(body) == bodyChecksum ? Array(body) : nil
    }
}

/// One operation.
struct TinyOperation {
    enum Kind: UInt8 {
        case put = 1
        case remove, names, clear, dictionary
    }
    var kind: Kind
    var collection: UInt32
    var isRelative: Bool
    var isDeflated: Bool
    var sequence: UInt64
    var key: [UInt8]
    var payload: [UInt8]
    /// What it takes, padding included.
    var paddedLength: Int

    /// The operation at a place.
    init(_ bytes: [UInt8], at start: Int) throws {
        var cursor = try TinyCursor(bytes, at: start)
        let headerChecksum = try cursor.u32()
        let length = Int(try cursor.u32())
        collection = try cursor.u32()
        let keyLength = try cursor.u16()
        let kind = Kind(rawValue: try cursor.u8())
        let flags = try cursor.u8()
        sequence = try cursor.u64()
        let checksum = try cursor.u32()
        _ = try cursor.take(4)
        guard headerChecksum == TinyChecksum.sum(bytes[start + 4..<start + 32]) else {
            throw TinyDamage("an operation header's checksum is wrong", offset: start)
        }
        guard let kind, flags < (kind == .put ? 4 : 2), length >= 32 + keyLength else {
            throw TinyDamage("an operation's header is impossible", offset: start)
        }
        self.kind = kind
        isRelative = flags & 1 == 1
        isDeflated = flags & 2 == 2
        key = try cursor.take(keyLength)
        payload = try cursor.take(length - 32 - keyLength)
        paddedLength = (length + 7) / 8 * 8
        guard checksum == TinyChecksum.sum(key + payload) else {
            throw TinyDamage("an operation's checksum is wrong", offset: start)
        }
    }

    /// What a put stores. `bytes` are those that the operation was read from, at `start`.
    func stored(in bytes: [UInt8], at start: Int) throws -> [UInt8] {
        guard isDeflated else { return payload }
        var cursor = try TinyCursor(payload)
        let length = Int(try cursor.number(0...(16 << 20) + (64 << 10)))
        let distance = Int(try cursor.number(0...UInt64(start / 8))) * 8
        let deflated = try cursor.take(payload.count - cursor.offset)
        var dictionary: [UInt8] = []
        if distance > 0 {
            let operation = try TinyOperation(bytes, at: start - distance)
            guard operation.kind == .dictionary, operation.collection == collection,
                operation.payload.count <= 32 << 10
            else { throw TinyDamage("there is no dictionary", offset: start - distance) }
            dictionary = operation.payload
        }
        return try TinyInflate.record(deflated, length: length, dictionary: dictionary)
    }

    /// The names that a payload gives.
    static func names(_ payload: [UInt8]) throws -> [String] {
        var cursor = try TinyCursor(payload)
        var names: [String] = []
        while !cursor.isAtEnd { names.append(try cursor.text()) }
        return names
    }
}

/// What a staged transaction changed.
struct TinyAdoption {
    struct Collection {
        var number: UInt32
        var names: [String]
        var trees: [TinyCatalog.Tree]
    }
    var files: [TinyCatalog.File] = []
    var collections: [Collection] = []

    init(_ body: [UInt8]) throws {
        var cursor = try TinyCursor(body)
        for _ in 0..<(try cursor.count()) {
            let number = UInt32(try cursor.number(1...0xFFFF_FFFF))
            let kind = try cursor.u8()
            guard kind < 2 else { throw TinyDamage("an unknown kind of file") }
            files.append(
                TinyCatalog.File(
                    number: number, isTree: kind == 1, isStaged: true,
                    length: Int(try cursor.number(0...1 << 34)),
                    live: try TinyCatalog.live(&cursor)))
        }
        for _ in 0..<(try cursor.count()) {
            _ = (try cursor.varint(), try cursor.number(1...1 << 20), try cursor.varint())
        }
        for _ in 0..<(try cursor.count()) {
            let number = UInt32(try cursor.number(1...1 << 20))
            guard try cursor.u8() < 2 else { throw TinyDamage("cleared or not?") }
            let names = try TinyCatalog.names(&cursor)
            let trees = try TinyCatalog.trees(&cursor)
            collections.append(Collection(number: number, names: names, trees: trees))
        }
        try cursor.expectEnd()
    }
}

/// One slot of the superblock.
struct TinySuperblock {
    var store: [UInt8]
    var generation: UInt64
    var catalog: UInt64
    var replayPosition: UInt64
    var replayChain: UInt32
    var isCleanClose: Bool
    var durableSequence: UInt64

    /// The valid content of a slot; nil where it isn't valid, an error where it is newer.
    private init?(_ file: [UInt8], slot: Int) throws {
        guard file.count >= slot * 4096 + 4096 else { return nil }
        let bytes = Array(file[slot * 4096..<slot * 4096 + 4096])
        var cursor = try TinyCursor(bytes)
        let isOurs = try cursor.take(8) == Array("OFFSUPR1".utf8)
        let version = try cursor.u32()
        let flags = try cursor.u32()
        store = try cursor.take(16)
        generation = try cursor.u64()
        catalog = try cursor.u64()
        replayPosition = try cursor.u64()
        replayChain = try cursor.u32()
        isCleanClose = try cursor.u32() == 1
        durableSequence = try cursor.u64()
        _ = try cursor.take(4020)
        guard try cursor.u32() == TinyChecksum.sum(bytes[..<4092]), isOurs else { return nil }
        guard version == 1, flags == 0 else {
            throw TinyDamage("the store's version is unknown", file: "SUPERBLOCK")
        }
        guard generation % 2 == UInt64(slot) else { return nil }
    }

    /// The slot that counts; nil where none is valid.
    static func newest(_ file: [UInt8]) throws -> TinySuperblock? {
        let slots = [
            try TinySuperblock(file, slot: 0), try TinySuperblock(file, slot: 1),
        ].compactMap { $0 }
        return slots.max { $0.generation < $1.generation }
    }
}
