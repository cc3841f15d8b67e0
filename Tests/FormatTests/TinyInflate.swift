// The tiny reader, part 11: inflating for FORMAT.md's "Deflated records", as RFC 1951 says, a bit at a time.

/// Reads raw deflate.
struct TinyInflate {
    private let bytes: [UInt8]
    private var bit = 0
    private var output: [UInt8]
    private let limit: Int

    /// What `bytes` are deflated from: `length` bytes, which may repeat some of `dictionary`.
    static func record(
        _ bytes: [UInt8], length: Int, dictionary: [UInt8]
    ) throws -> [UInt8] {
        var inflate = TinyInflate(
            bytes: bytes, output: dictionary, limit: dictionary.count + length)
        while try inflate.block() {}
        guard inflate.output.count == inflate.limit, (inflate.bit + 7) / 8 == bytes.count else {
            throw TinyDamage("a deflated record has another length")
        }
        return Array(inflate.output.dropFirst(dictionary.count))
    }

    private init(bytes: [UInt8], output: [UInt8], limit: Int) {
        self.bytes = bytes
        self.output = output
        self.limit = limit
    }

    private mutating func bits(_ count: Int) throws -> Int {
        var value = 0
        for place in 0..<count {
            guard bit < bytes.count * 8 else { throw TinyDamage("a deflated record is cut off") }
            value |= Int(bytes[bit / 8] >> UInt8(bit % 8) & 1) << place
            bit += 1
        }
        return value
    }

    /// One block; false after the last.
    private mutating func block() throws -> Bool {
        let isLast = try bits(1) == 1
        switch try bits(2) {
        case 0: try stored()
        case 1:
            let lengths = (0..<288).map { $0 < 144 ? 8 : $0 < 256 ? 9 : $0 < 280 ? 7 : 8 }
            try symbols(Code(lengths), Code(Array(repeating: 5, count: 30)))
        case 2:
            let (literals, distances) = try codes()
            try symbols(literals, distances)
        default: throw TinyDamage("a deflated record has an unknown block")
        }
        return !isLast
    }

    private mutating func stored() throws {
        bit = (bit + 7) / 8 * 8
        let count = try bits(16)
        guard try bits(16) == ~count & 0xFFFF else { throw TinyDamage("a stored block is wrong") }
        for _ in 0..<count { try append(UInt8(try bits(8))) }
    }

    private mutating func append(_ byte: UInt8) throws {
        guard output.count < limit else { throw TinyDamage("a deflated record is too long") }
        output.append(byte)
    }

    private mutating func symbols(_ literals: Code, _ distances: Code) throws {
        while true {
            let symbol = try self.symbol(literals)
            if symbol == 256 { return }
            if symbol < 256 {
                try append(UInt8(symbol))
                continue
            }
            guard symbol <= 285 else { throw TinyDamage("a length is unknown") }
            // Lengths go on by 1, then by 2, 4 … after each four of them, and the last is 258.
            let code = symbol - 257
            let extra = code < 8 || code == 28 ? 0 : code / 4 - 1
            let base = code < 8 ? 3 + code : code == 28 ? 258 : 3 + (4 + code % 4) << extra
            let length = base + (try bits(extra))
            let far = try self.symbol(distances)
            let more = far < 4 ? 0 : far / 2 - 1
            let distance = (far < 4 ? 1 + far : 1 + (2 + far % 2) << more) + (try bits(more))
            guard distance <= output.count else { throw TinyDamage("a distance is too far") }
            for _ in 0..<length { try append(output[output.count - distance]) }
        }
    }

    /// The codes that a block describes.
    private mutating func codes() throws -> (Code, Code) {
        let literals = try bits(5) + 257
        let distances = try bits(5) + 1
        var lengths = Array(repeating: 0, count: 19)
        let order = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]
        for place in 0..<(try bits(4) + 4) { lengths[order[place]] = try bits(3) }
        let code = Code(lengths)
        lengths = []
        while lengths.count < literals + distances {
            switch try symbol(code) {
            case 16:
                guard let last = lengths.last else { throw TinyDamage("nothing to repeat") }
                lengths += Array(repeating: last, count: try bits(2) + 3)
            case 17: lengths += Array(repeating: 0, count: try bits(3) + 3)
            case 18: lengths += Array(repeating: 0, count: try bits(7) + 11)
            case let length: lengths.append(length)
            }
        }
        guard lengths.count == literals + distances else { throw TinyDamage("too many lengths") }
        return (Code(Array(lengths[..<literals])), Code(Array(lengths[literals...])))
    }

    /// A Huffman code: of each length, the symbols that have it, in their order.
    private struct Code {
        var symbols: [[Int]] = Array(repeating: [], count: 16)

        init(_ lengths: [Int]) {
            for (symbol, length) in lengths.enumerated() where length > 0 {
                symbols[length].append(symbol)
            }
        }
    }

    private mutating func symbol(_ code: Code) throws -> Int {
        var value = 0
        var first = 0
        for length in 1...15 {
            value = value << 1 | (try bits(1))
            let symbols = code.symbols[length]
            if value - first < symbols.count { return symbols[value - first] }
            first = (first + symbols.count) << 1
        }
        throw TinyDamage("a code is unknown")
    }
}
