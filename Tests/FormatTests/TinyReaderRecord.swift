// The tiny reader, part 5: FORMAT.md's "Records".

/// A value of a document.
indirect enum TinyValue: Equatable {
    case null
    case bool(Bool)
    case int(Int64)
    case double(UInt64)
    case date(UInt64)
    case string(String)
    case data([UInt8])
    /// The payload of a sealed value.
    case sealed([UInt8])
    case array([TinyValue])
    case object([TinyField])
}

/// A field of a document; doubles and dates above are bits, so that equality means the same bytes.
struct TinyField: Equatable {
    var name: String
    var value: TinyValue
}

/// Decodes one record.
struct TinyRecord {
    private let bytes: [UInt8]
    private let names: [String]

    /// The record's fields, in the document's order.
    static func fields(_ bytes: [UInt8], names: [String]) throws -> [TinyField] {
        guard bytes.count <= 16 << 20, bytes.first == 1 else {
            throw TinyDamage("a record of another format")
        }
        let record = TinyRecord(bytes: bytes, names: names)
        guard case .object(let fields) = try record.value(1..<bytes.count, depth: 0) else {
            throw TinyDamage("a record is no object")
        }
        return fields
    }

    private init(bytes: [UInt8], names: [String]) {
        self.bytes = bytes
        self.names = names
    }

    /// The value in exactly this range; `depth` containers are around it.
    private func value(_ range: Range<Int>, depth: Int) throws -> TinyValue {
        func damage() -> TinyDamage { TinyDamage("a value is malformed", offset: range.lowerBound) }
        guard let start = range.first else { throw damage() }
        let payload = Array(bytes[range].dropFirst())
        func bits() throws -> UInt64 {
            guard payload.count == 8 else { throw damage() }
            return payload.reversed().reduce(0) { $0 << 8 | UInt64($1) }
        }
        switch bytes[start] {
        case 0x00 where payload.isEmpty: return .null
        case 0x01 where payload.isEmpty: return .bool(false)
        case 0x02 where payload.isEmpty: return .bool(true)
        case 0x03: return .int(try int(payload))
        case 0x04: return .double(try bits())
        case 0x05: return .date(try bits())
        case 0x06:
            guard let text = String(validating: payload, as: UTF8.self) else { throw damage() }
            return .string(text)
        case 0x07: return .data(payload)
        case 0x08:
            guard let form = payload.first, form & 0xC0 == 0, [1, 2].contains(form & 0x0F),
                payload.count > (form & 0x10 == 0 ? 29 : 45) + 16
            else { throw damage() }
            return .sealed(payload)
        case 0x10, 0x11: return .array(try container(range, depth: depth).map(\.value))
        case 0x20...0x23: return .object(try container(range, depth: depth))
        default: throw damage()
        }
    }

    private func int(_ payload: [UInt8]) throws -> Int64 {
        var value: Int64 = payload.last.map { $0 >= 0x80 } ?? false ? -1 : 0
        for byte in payload.reversed() { value = value << 8 | Int64(byte) }
        let shortest =
            Int8(exactly: value) != nil
            ? 1 : Int16(exactly: value) != nil ? 2 : Int32(exactly: value) != nil ? 4 : 8
        guard payload.count == shortest else { throw TinyDamage("an int has the wrong length") }
        return value
    }

    /// The values of an array, without names, or the fields of an object, in the document's order.
    private func container(_ range: Range<Int>, depth: Int) throws -> [TinyField] {
        func damage(_ reason: String) -> TinyDamage { TinyDamage(reason, offset: range.lowerBound) }
        guard depth < 100 else { throw damage("a record is nested too deep") }
        var cursor = try TinyCursor(bytes, at: range.lowerBound, count: range.count)
        let tag = try cursor.u8()
        let isObject = tag >= 0x20
        let isWide = tag & 1 != 0
        func small(_ cursor: inout TinyCursor, _ width: Int) throws -> Int {
            switch width {
            case 1: Int(try cursor.u8())
            case 2: try cursor.u16()
            default: Int(try cursor.u32())
            }
        }
        let width = isWide ? 4 : 2
        let count = try small(&cursor, width)
        guard count <= range.count else { throw damage("a container is cut off") }
        var ids: [Int] = []
        if isObject { for _ in 0..<count { ids.append(try cursor.u16()) } }
        var ends: [Int] = []
        for _ in 0..<count { ends.append(try small(&cursor, width)) }
        var order = Array(0..<count)
        if tag & 0x22 == 0x22 {
            for place in 0..<count {
                order[place] = try small(&cursor, count <= 256 ? 1 : width)
            }
            guard order.sorted().elementsEqual(0..<count), !order.elementsEqual(0..<count) else {
                throw damage("a document's order is no permutation")
            }
        }
        let start = cursor.offset
        let length = range.upperBound - start
        guard (ends.last ?? 0) == length, isWide == (length > 0xFFFF) else {
            throw damage("a container's length is wrong")
        }
        var fields: [TinyField] = []
        var last: (id: Int, name: [UInt8]) = (-1, [])
        for place in 0..<count {
            let begin = place == 0 ? 0 : ends[place - 1]
            guard ends[place] > begin, ends[place] <= length else {
                throw damage("ends don't ascend")
            }
            var extent = start + begin..<start + ends[place]
            var name = ""
            if isObject {
                let id = ids[place]
                name = try self.name(id, &extent)
                let isAscending =
                    id > last.id
                    || id == 0xFFFF && last.id == id
                        && last.name.lexicographicallyPrecedes(name.utf8)
                guard isAscending else { throw damage("fields are out of order") }
                last = (id, Array(name.utf8))
            }
            fields.append(TinyField(name: name, value: try value(extent, depth: depth + 1)))
        }
        return order.map { fields[$0] }
    }

    /// A field's name; where it is inline, `extent` is then what follows it.
    private func name(_ id: Int, _ extent: inout Range<Int>) throws -> String {
        if id == 0xFFFF {
            var cursor = try TinyCursor(bytes, at: extent.lowerBound, count: extent.count)
            let name = try cursor.text()
            extent = cursor.offset..<extent.upperBound
            return name
        }
        guard id < names.count else {
            throw TinyDamage("a field's id is unknown", offset: extent.lowerBound)
        }
        return names[id]
    }
}
