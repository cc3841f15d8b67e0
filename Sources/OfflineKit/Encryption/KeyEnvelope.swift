// The key envelope: the keys of a store, wrapped. FORMAT.md, "Keys of sealed fields", is written from this map. Integers are
// little-endian.
//
//   offset  length
//        0       8  "OFFLKEYS"
//        8       4  version of this layout: 1
//       12       8  generation: one more at each change
//       20      16  the store's id among sealed values, random
//       36       1  who wraps: 1 a passphrase, 2 an application's key, 3 a key service
//       37       1  how many data keys, 1 to 8
//       38       4  Argon2id: passes        (0 without a passphrase)
//       42       4  Argon2id: memory, KiB   (0 without a passphrase)
//       46      16  Argon2id: salt          (zeros without a passphrase)
//       62       2  length of the wrapped envelope key, 3,000 at most
//       64       w  the wrapped envelope key: nonce (24) and sealed (48); of a key service: what it gave
//                   then for each data key: id (4) · nonce (24) · sealed (48), ascending by id; the last one seals new values
//                   then zeros
//     4092       4  CRC-32C of all before
//
// A random envelope key seals the data keys; only it is wrapped, and is another one when the provider changes. Both are sealed with
// XChaCha20-Poly1305. Authenticated with the envelope key: bytes 0 to 61, generation and count as zeros, so that data keys can be left
// out without asking the provider. With a data key: all that is before the first of them, and its id. So every byte is authenticated,
// and no part of one envelope fits another.
//
// A key service may authenticate nothing of its own: whatever it unwraps, only the envelope key opens the data keys, and only behind
// the very bytes that the service gave. What it can't tell the store is whether somebody else had it wrap a key: who may have it wrap
// keys, and writes the file, can replace the whole envelope, as anyone can who knows a passphrase. What was sealed doesn't open then.
//
// A wrong key and damage are told apart by the checksum: bytes that are as they were written, and don't open, were written
// with another key.
internal import OfflineBytes

/// The wrapped keys of a store.
struct KeyEnvelope: Hashable, Sendable {
    static let length = 4096
    static let version: UInt32 = 1
    static let magic = Array("OFFLKEYS".utf8)
    static let keyCountMax = 8
    static let wrappedLengthMax = 3_000
    static let sealedKeyLength = Sodium.nonceLength + Sodium.keyLength + Sodium.tagLength

    enum Wrapping: UInt8, Sendable {
        case passphrase = 1
        case applicationKey = 2
        case keyService = 3
    }
    struct DataKey: Hashable, Sendable {
        let id: UInt32
        /// Nonce and sealed key.
        let sealed: [UInt8]
    }
    var generation: UInt64
    let storeID: [UInt8]
    let wrapping: Wrapping
    /// Nil without a passphrase.
    let cost: PassphraseCost?
    let salt: [UInt8]
    var wrapped: [UInt8] = []
    var keys: [DataKey] = []

    init(
        generation: UInt64, storeID: [UInt8], wrapping: Wrapping, cost: PassphraseCost?,
        salt: [UInt8]
    ) {
        self.generation = generation
        self.storeID = storeID
        self.wrapping = wrapping
        self.cost = cost
        self.salt = salt
    }

    /// What is authenticated with the envelope key.
    var wrappingContext: [UInt8] { start(generation: 0, keyCount: 0) }

    /// What is before the data keys, and authenticated with each.
    func head(keyCount: Int) -> [UInt8] {
        var bytes = start(generation: generation, keyCount: keyCount)
        bytes.appendLittle(UInt16(truncatingIfNeeded: wrapped.count))
        return bytes + wrapped
    }

    private func start(generation: UInt64, keyCount: Int) -> [UInt8] {
        var bytes = Self.magic
        bytes.appendLittle(Self.version)
        bytes.appendLittle(generation)
        bytes += storeID
        bytes.append(wrapping.rawValue)
        bytes.append(UInt8(truncatingIfNeeded: keyCount))
        bytes.appendLittle(cost?.passes ?? 0)
        bytes.appendLittle(cost?.kibibytes ?? 0)
        bytes += salt
        return bytes
    }

    /// One copy of the envelope.
    var encoded: [UInt8] {
        var bytes = head(keyCount: keys.count)
        for key in keys {
            bytes.appendLittle(key.id)
            bytes += key.sealed
        }
        bytes += [UInt8](repeating: 0, count: Self.length - 4 - bytes.count)
        bytes.appendLittle(CRC32C.checksum(bytes))
        return bytes
    }

    /// Reads one copy. Throws `.corrupted`, with the offset; `.unsupportedFormat` for a newer layout.
    init(_ bytes: [UInt8]) throws(OfflineError) {
        func damaged(_ what: String, at offset: Int) -> OfflineError {
            OfflineError(.corrupted, "KEYS: \(what) (byte \(offset) of a copy)")
        }
        guard bytes.count == Self.length else {
            throw damaged("a copy has \(bytes.count) bytes", at: 0)
        }
        guard Array(bytes[..<8]) == Self.magic else {
            throw damaged("it isn't a key envelope", at: 0)
        }
        guard CRC32C.checksum(Array(bytes[..<(Self.length - 4)])) == bytes.little(4092, UInt32.self)
        else { throw damaged("the checksum is wrong", at: 4092) }
        let version = bytes.little(8, UInt32.self)
        guard version == Self.version else {
            throw OfflineError(
                .unsupportedFormat,
                "KEYS has version \(version); this build knows \(Self.version)")
        }
        guard let wrapping = Wrapping(rawValue: bytes[36]) else {
            throw damaged("who wraps the key is unknown", at: 36)
        }
        let count = Int(bytes[37])
        guard 1...Self.keyCountMax ~= count else { throw damaged("the keys' count", at: 37) }
        let cost = PassphraseCost(
            passes: bytes.little(38, UInt32.self), kibibytes: bytes.little(42, UInt32.self))
        self.init(
            generation: bytes.little(12, UInt64.self), storeID: Array(bytes[20..<36]),
            wrapping: wrapping, cost: wrapping == .passphrase ? cost : nil,
            salt: Array(bytes[46..<62]))
        let length = Int(bytes.little(62, UInt16.self))
        let isService = wrapping == .keyService
        guard isService ? length <= Self.wrappedLengthMax : length == Self.sealedKeyLength else {
            throw damaged("the wrapped key's length", at: 62)
        }
        wrapped = Array(bytes[64..<(64 + length)])
        var offset = 64 + length
        for _ in 0..<count {
            let id = bytes.little(offset, UInt32.self)
            guard id > keys.last?.id ?? 0 else { throw damaged("a key's id", at: offset) }
            let end = offset + 4 + Self.sealedKeyLength
            keys.append(DataKey(id: id, sealed: Array(bytes[(offset + 4)..<end])))
            offset = end
        }
        // Whatever this reads is what it would write.
        guard encoded == bytes else { throw damaged("unused bytes aren't zero", at: offset) }
    }
}

extension [UInt8] {
    /// A little-endian integer inside the bytes.
    fileprivate func little<T: FixedWidthInteger>(_ offset: Int, _ type: T.Type) -> T {
        var result: T = 0
        for index in (0..<MemoryLayout<T>.size).reversed() {
            result = result << 8 | T(truncatingIfNeeded: self[offset + index])
        }
        return result
    }

    fileprivate mutating func appendLittle<T: FixedWidthInteger>(_ value: T) {
        for index in 0..<MemoryLayout<T>.size {
            append(UInt8(truncatingIfNeeded: value >> (T(index) * 8)))
        }
    }
}
