// A sealed value's payload, behind its tag (RecordLayout.swift). FORMAT.md, "Sealed values", is written from this map.
//
//   offset  length
//        0       1  form: 1 XChaCha20-Poly1305, 2 AES-256-GCM; and 0x10 with a token, 0x20 where the value is an array
//        1       4  the data key's id, little-endian
//        5      24  nonce
//       29      16  blind token (only with 0x10)
//                1+ the value's bytes, sealed
//               16  their tag
//
// Who reads records without a key knows of a sealed value only its token. The key of a value with a token is
// `KeyLayout.sealed`, the token, and the data key's id; of one without, that of null.
internal import OfflineBytes

/// A sealed value: opaque here. OfflineKit seals and opens.
package struct SealedValue: Hashable, Sendable {
    package static let algorithmMask: UInt8 = 0x0F
    package static let tokenBit: UInt8 = 0x10
    package static let arrayBit: UInt8 = 0x20
    package static let keyIDOffset = 1
    package static let nonceOffset = 5
    package static let nonceLength = 24
    package static let tokenOffset = 29
    package static let tokenLength = 16
    package static let tagLength = 16

    /// The payload, as it lies in records.
    package let payload: [UInt8]

    /// Wraps bytes that this layout describes; nil for others.
    package init?(payload: [UInt8]) {
        guard unsafe payload.withUnsafeBytes({ unsafe SealedValue.isPayload($0) }) else {
            return nil
        }
        self.payload = payload
    }

    init(valid payload: UnsafeRawBufferPointer) { unsafe self.payload = Array(payload) }

    /// Whether the bytes can be a payload.
    @unsafe
    static func isPayload(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard let form = unsafe bytes.first, form & ~(algorithmMask | tokenBit | arrayBit) == 0,
            1...2 ~= form & algorithmMask
        else { return false }
        return bytes.count > sealedOffset(form) + tagLength
    }

    /// Where what is sealed begins.
    package static func sealedOffset(_ form: UInt8) -> Int {
        form & tokenBit == 0 ? tokenOffset : tokenOffset + tokenLength
    }

    /// How many bytes were sealed in these, which are a payload.
    @unsafe
    static func plaintextLength(_ payload: UnsafeRawBufferPointer) -> Int {
        unsafe payload.count - sealedOffset(payload[0]) - tagLength
    }

    package var form: UInt8 { payload[0] }
    package var keyID: UInt32 {
        (1...4).reversed().reduce(0) { $0 << 8 | UInt32(payload[$1]) }
    }

    /// What is shown of it.
    var text: String {
        "\(payload.count - Self.sealedOffset(form) - Self.tagLength) bytes, with key \(keyID)"
    }
}

extension Document {
    /// What stands for a sealed value among values: it has no fields to whoever looks, and is stored as it was.
    package init(sealed: SealedValue) { storage = .sealed(sealed) }

    /// The sealed value that it stands for; nil for a document.
    package var sealed: SealedValue? {
        if case .sealed(let value) = storage { value } else { nil }
    }

    /// Whether a sealed value is anywhere in it.
    package var hasSealed: Bool {
        switch storage {
        case .sealed: true
        case .stored(let object): unsafe object.withEncoded { unsafe $0.hasSealed }
        default: contains { $0.value.hasSealed }
        }
    }
}

extension Value {
    /// The sealed value that it stands for.
    package var sealed: SealedValue? {
        if case .object(let document) = self { document.sealed } else { nil }
    }

    fileprivate var hasSealed: Bool {
        switch self {
        case .array(let elements): elements.contains(where: \.hasSealed)
        case .object(let document): document.hasSealed
        default: false
        }
    }
}

extension EncodedValue {
    /// A sealed value's payload; nil where it isn't sealed.
    package var sealedPayload: UnsafeRawBufferPointer? {
        unsafe tag == ValueTag.sealed ? bytes : nil
    }

    /// Whether it is sealed, or anything in it is. The recursion is bounded by a record's depth.
    package var hasSealed: Bool {
        switch unsafe kind {
        case .sealed: return true
        case .array:
            for index in 0..<(unsafe count) where unsafe element(index).hasSealed { return true }
            return false
        case .object:
            var found = false
            unsafe forEachField { field in
                found = unsafe field.value.hasSealed
                return !found
            }
            return found
        default: return false
        }
    }

    /// Whether it is an array that was sealed.
    package var isSealedArray: Bool {
        unsafe tag == ValueTag.sealed && bytes[0] & SealedValue.arrayBit != 0
    }
}
