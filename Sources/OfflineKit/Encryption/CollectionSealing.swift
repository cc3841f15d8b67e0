// Seals and opens the sensitive fields of one collection's records.
//
// Authenticated with each value, besides its form, key id and token: the store's id, the collection's name, the record's
// key and the field's path without positions in arrays. So sealed bytes that are moved anywhere else don't open.
//
// A token is the keyed hash of the collection's name, the path and the value's key (Keys/KeyLayout): equal values of one field have
// equal tokens, of different fields others. Null isn't sealed: that a field is missing would show as well.
internal import OfflineBytes
import OfflineDocuments

/// The sensitive fields of a collection, and the keys to them.
final class CollectionSealing: Sendable {
    private struct SensitiveField: Sendable {
        let path: FieldPath
        let isSearchable: Bool
    }
    let vault: FieldVault
    private let collection: String
    private let fields: [SensitiveField]

    init(
        _ vault: FieldVault, collection: String, _ paths: [String]
    ) throws(OfflineError) {
        self.vault = vault
        self.collection = collection
        var fields: [SensitiveField] = []
        for path in paths {
            fields.append(
                SensitiveField(
                    path: try FieldPath(path), isSearchable: !vault.unsearchable.contains(path)))
        }
        self.fields = fields
    }

    /// Whether the path leads to, into or through a sensitive field.
    func isSensitive(_ path: FieldPath) -> Bool {
        fields.contains { $0.path.overlaps(path) }
    }

    /// Throws `.locked` where one of the paths is sensitive and the store is locked.
    func checkUnlocked(for paths: [FieldPath]) throws(OfflineError) {
        if vault.isLocked, paths.contains(where: isSensitive) { _ = try vault.ring() }
    }

    // MARK: Documents

    /// The document with its sensitive fields sealed. What is sealed already stays as it is, unless it was with an older key: so all values
    /// of a record are sealed with one key, and `.locked` is thrown only where something isn't sealed.
    func seal(_ document: Document, key: [UInt8]) throws -> Document {
        if let ring = try? vault.ring() {
            return try resealed(document, key: key, ring) ?? document
        }
        return try replacing(in: document) { _, value throws(OfflineError) in
            if !value.isNull, value.sealed == nil { _ = try self.vault.ring() }
            return nil
        }
    }

    /// The document with its sensitive fields sealed with the ring's current key, and with tokens if they have any now; nil where they are
    /// already.
    func resealed(
        _ document: Document, key: [UInt8], _ ring: KeyRing
    ) throws(OfflineError) -> Document? {
        var isChanged = false
        let result = try replacing(in: document) { field, value throws(OfflineError) in
            if value.isNull { return nil }
            if let sealed = value.sealed, sealed.keyID == ring.current.id,
                (sealed.form & SealedValue.tokenBit != 0) == field.isSearchable
            {
                return nil
            }
            var plain = value
            if let sealed = value.sealed { plain = try self.open(sealed, field, key, ring) }
            isChanged = true
            return .object(Document(sealed: try self.seal(plain, field, key, ring)))
        }
        return isChanged ? result : nil
    }

    /// The document with its sensitive fields opened. `.locked`; `.decryptionFailed` for anything that wasn't sealed there.
    func open(_ document: Document, key: [UInt8]) throws -> Document {
        try replacing(in: document) { field, value throws(OfflineError) in
            guard let sealed = value.sealed else { return nil }
            return try self.open(sealed, field, key, self.vault.ring())
        }
    }

    /// The same, of a record: nil where it is to be read as it is, because nothing in it is sealed or the store is locked.
    func opened(_ document: Document, key: [UInt8]) throws -> Document? {
        if vault.isLocked || !hasSealed(document) { return nil }
        return try open(document, key: key)
    }

    /// Throws `.locked` where something in the document is sealed still.
    func checkOpen(_ document: Document) throws(OfflineError) {
        if hasSealed(document) {
            throw OfflineError(
                .locked,
                "the store is locked, and the result has a sensitive field; unlock() it, or leave "
                    + "the field out with select", collection: collection)
        }
    }

    private func hasSealed(_ document: Document) -> Bool {
        var found = false
        _ = replacing(in: document) { _, value in
            if value.sealed != nil { found = true }
            return nil
        }
        return found
    }

    private func replacing<Failure: Error>(
        in document: Document, _ change: (SensitiveField, Value) throws(Failure) -> Value?
    ) throws(Failure) -> Document {
        var result = document
        for field in fields {
            let components = field.path.components
            guard let value = result[components[0].name] else { continue }
            let new: Value?
            do {
                new = try value.replacing(at: components.dropFirst()) { try change(field, $0) }
            } catch let error as Failure {
                throw error
            } catch {
                preconditionFailure("only `change` throws")
            }
            if let new { result[components[0].name] = new }
        }
        return result
    }

    // MARK: Values

    private func seal(
        _ value: Value, _ field: SensitiveField, _ key: [UInt8], _ ring: KeyRing
    ) throws(OfflineError) -> SealedValue {
        var plaintext = try SealedPlaintext.bytes(value, depth: field.path.components.count)
        defer { plaintext.wipe() }
        var form: UInt8 = vault.algorithm == .xchacha20Poly1305 ? 1 : 2
        if field.isSearchable { form |= SealedValue.tokenBit }
        if value.kind == .array { form |= SealedValue.arrayBit }
        var payload: [UInt8] = [form]
        for shift in [0, 8, 16, 24] as [UInt32] {
            payload.append(UInt8(truncatingIfNeeded: ring.current.id >> shift))
        }
        let nonce = Sodium.random(count: SealedValue.nonceLength)
        payload += nonce
        if field.isSearchable { payload += token(value, field.path, ring.current) }
        let context = context(payload, field.path, key, ring)
        do {
            payload += try unsafe plaintext.withUnsafeBytes { plaintext in
                try unsafe nonce.withUnsafeBytes { nonce in
                    try unsafe Sodium.seal(
                        plaintext, vault.algorithm, key: ring.current.sealing, nonce: nonce,
                        authenticating: context)
                }
            }
        } catch {
            throw OfflineError(.storageUnavailable, "a field can't be sealed: \(error)")
        }
        guard let sealed = SealedValue(payload: payload) else {
            throw OfflineError(.storageUnavailable, "a field was sealed in an unknown form")
        }
        return sealed
    }

    private func open(
        _ sealed: SealedValue, _ field: SensitiveField, _ key: [UInt8], _ ring: KeyRing
    ) throws(OfflineError) -> Value {
        let payload = sealed.payload
        let algorithm: EncryptionOptions.Algorithm =
            sealed.form & SealedValue.algorithmMask == 1 ? .xchacha20Poly1305 : .aes256GCM
        guard let fieldKey = ring.key(sealed.keyID) else {
            throw failed(field, key, "it was sealed with a key that the store doesn't have")
        }
        let start = SealedValue.sealedOffset(sealed.form)
        let context = context(Array(payload[..<start]), field.path, key, ring)
        var plaintext = [UInt8](
            repeating: 0, count: payload.count - start - SealedValue.tagLength)
        defer { plaintext.wipe() }
        let isWhole: Bool
        do {
            isWhole = try unsafe payload.withUnsafeBytes { payload in
                try unsafe plaintext.withUnsafeMutableBytes { plaintext in
                    try unsafe Sodium.open(
                        UnsafeRawBufferPointer(rebasing: payload[start...]), algorithm,
                        key: fieldKey.sealing,
                        nonce: UnsafeRawBufferPointer(
                            rebasing: payload[SealedValue.nonceOffset..<SealedValue.tokenOffset]),
                        authenticating: context, into: plaintext)
                }
            }
        } catch {
            throw failed(field, key, "\(error)")
        }
        guard isWhole else {
            throw failed(
                field, key, "what is there was changed, or was sealed for another place")
        }
        return try SealedPlaintext.value(plaintext)
    }

    private func failed(_ field: SensitiveField, _ key: [UInt8], _ why: String) -> OfflineError {
        OfflineError(
            .decryptionFailed, "field \"\(field.path.text)\" can't be opened: \(why)",
            collection: collection, key: try? KeyDecoder.value(key))
    }

    /// The token of a value.
    fileprivate func token(_ value: Value, _ path: FieldPath, _ key: FieldKey) -> [UInt8] {
        var message = place(path)
        KeyEncoder.append(value, to: &message)
        defer { message.wipe() }
        var token = [UInt8](repeating: 0, count: SealedValue.tokenLength)
        unsafe message.withUnsafeBytes { message in
            unsafe token.withUnsafeMutableBytes { token in
                unsafe Sodium.hash(message, key: key.tokens, into: token)
            }
        }
        return token
    }

    /// What is authenticated with a value: where it is, and what of the payload is before the sealed bytes.
    private func context(
        _ head: [UInt8], _ path: FieldPath, _ key: [UInt8], _ ring: KeyRing
    ) -> [UInt8] {
        var bytes = ring.storeID + place(path)
        bytes.appendCounted(key)
        return bytes + head
    }

    private func place(_ path: FieldPath) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.appendCounted(Array(collection.utf8))
        bytes.appendCounted(Array(path.text.utf8))
        return bytes
    }
}

/// What index entries have in the place of one sensitive field's values.
struct FieldTokens: Sendable {
    fileprivate let sealing: CollectionSealing
    fileprivate let path: FieldPath
    fileprivate let ring: KeyRing

    /// The keys that entries of the value may have: one for each data key that may have sealed it; for null its own.
    func keys(of value: Value) -> [[UInt8]] {
        if value.isNull { return [KeyEncoder.key(value)] }
        return ring.keys.map { key in
            KeyEncoder.sealedKey(token: sealing.token(value, path, key), keyID: key.id)
        }
    }
}

extension CollectionSealing {
    /// Makes the tokens of the sensitive field at the path; nil while the store is locked.
    func tokens(at path: FieldPath) -> FieldTokens? {
        guard let ring = try? vault.ring() else { return nil }
        return FieldTokens(sealing: self, path: path, ring: ring)
    }
}

extension [UInt8] {
    /// Appends a length of four bytes, and the bytes.
    fileprivate mutating func appendCounted(_ bytes: [UInt8]) {
        for shift in [0, 8, 16, 24] as [Int] {
            append(UInt8(truncatingIfNeeded: bytes.count >> shift))
        }
        append(contentsOf: bytes)
    }
}
