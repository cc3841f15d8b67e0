// The sensitive fields of one collection: which they are, and how one value is sealed and opened. RecordSealer and FieldOpener do that
// to whole records.
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
    /// One of them; an object, so that nothing of it is copied for each value.
    fileprivate final class SensitiveField: Sendable {
        let path: FieldPath
        let isSearchable: Bool
        /// The collection and the path, as they are authenticated and hashed.
        let place: [UInt8]

        init(path: FieldPath, isSearchable: Bool, place: [UInt8]) {
            self.path = path
            self.isSearchable = isSearchable
            self.place = place
        }
    }
    let vault: FieldVault
    private let collection: String
    fileprivate let fields: [SensitiveField]
    /// All of them, each known by its place in `fields`.
    let tree: FieldTree
    /// Openers that nobody uses; a few, so that a read needn't make one.
    private let openers = Protected<[FieldOpener]>([])
    private static let openersMax = 4

    init(
        _ vault: FieldVault, collection: String, _ paths: [String]
    ) throws(OfflineError) {
        self.vault = vault
        self.collection = collection
        var fields: [SensitiveField] = []
        for text in paths {
            var place: [UInt8] = []
            place.appendCounted(collection.utf8)
            place.appendCounted(text.utf8)
            fields.append(
                SensitiveField(
                    path: try FieldPath(text), isSearchable: !vault.unsearchable.contains(text),
                    place: place))
        }
        self.fields = fields
        tree = FieldTree(fields.enumerated().map { ($0.offset, $0.element.path) })
    }

    /// Whether the path leads to, into or through a sensitive field.
    func isSensitive(_ path: FieldPath) -> Bool {
        fields.contains { $0.path.overlaps(path) }
    }

    /// The sensitive fields that these paths lead to, into or through; nil where there are none.
    func tree(of paths: [FieldPath]) -> FieldTree? {
        let found = fields.enumerated().filter { field in
            paths.contains(where: field.element.path.overlaps)
        }
        if found.isEmpty { return nil }
        return found.count == fields.count
            ? tree : FieldTree(found.map { ($0.offset, $0.element.path) })
    }

    /// The keys. The error has no key, which who reads may not be allowed to know.
    func ring() throws(OfflineError) -> KeyRing {
        do {
            return try vault.ring()
        } catch {
            throw OfflineError(error.code, error.message, collection: collection)
        }
    }

    /// Throws `.locked` where one of the paths is sensitive and the store is locked.
    func checkUnlocked(for paths: [FieldPath]) throws(OfflineError) {
        if vault.isLocked, paths.contains(where: isSensitive) { _ = try ring() }
    }

    /// Throws where something in a document that is given out is sealed still: `.locked`; `.decryptionFailed` where it was moved to a
    /// field that isn't sensitive.
    func checkOpen(_ document: Document) throws(OfflineError) {
        guard document.hasSealed else { return }
        if tree.hasSealed(in: document) {
            throw OfflineError(
                .locked,
                "the store is locked, and the result has a sensitive field; unlock() it, or leave "
                    + "the field out with select", collection: collection)
        }
        throw OfflineError(
            .decryptionFailed, "a sealed value is in a field that isn't sensitive",
            collection: collection)
    }

    /// A record that was written, as who wrote it is shown it: while the store is locked without its sensitive fields. What is sealed
    /// opens in its place only, so nobody gets it to put it elsewhere.
    func shown(_ document: Document) -> Document {
        tree.hasSealed(in: document) ? tree.removingSealed(from: document) : document
    }

    /// Calls `body` with an opener of its own for a record with this key.
    func withOpener<Result>(
        _ key: [UInt8], _ body: (FieldOpener) throws -> Result
    ) rethrows -> Result {
        let opener = openers.withLock { $0.popLast() } ?? FieldOpener(self)
        defer {
            openers.withLock { if $0.count < Self.openersMax { $0.append(opener) } }
        }
        opener.key = key
        return try body(opener)
    }

    // MARK: Values

    /// How many bytes longer than what is sealed the payload is of the field with this number.
    func overhead(ofField number: Int) -> Int {
        SealedValue.tagLength
            + SealedValue.sealedOffset(fields[number].isSearchable ? SealedValue.tokenBit : 0)
    }

    /// Fills the payload: everything but its nonce, which is there already.
    @unsafe
    func seal(
        _ plaintext: UnsafeRawBufferPointer, _ value: EncodedValue, field number: Int,
        key: [UInt8], _ ring: KeyRing, _ scratch: inout [UInt8],
        into payload: UnsafeMutableRawBufferPointer
    ) throws {
        let field = fields[number]
        var form: UInt8 = vault.algorithm == .xchacha20Poly1305 ? 1 : 2
        if field.isSearchable { form |= SealedValue.tokenBit }
        if unsafe value.kind == .array { form |= SealedValue.arrayBit }
        unsafe payload[0] = form
        unsafe payload.storeBytes(
            of: ring.current.id.littleEndian, toByteOffset: SealedValue.keyIDOffset,
            as: UInt32.self)
        let start = SealedValue.sealedOffset(form)
        if field.isSearchable {
            scratch.removeAll(keepingCapacity: true)
            scratch += field.place
            unsafe KeyEncoder.append(value, .empty, to: &scratch)
            unsafe hash(&scratch, ring.current, into: payload[SealedValue.tokenOffset..<start])
        }
        let head = unsafe UnsafeRawBufferPointer(rebasing: payload[..<start])
        try unsafe withContext(head, field, key, ring) { context in
            try unsafe Sodium.seal(
                plaintext, vault.algorithm, key: ring.current.sealing, nonce: nonce(head),
                authenticating: context,
                into: UnsafeMutableRawBufferPointer(rebasing: payload[start...]))
        }
    }

    /// Whether a payload is as the field is sealed now: with the newest key, and with a token where the field has any.
    @unsafe
    func isCurrent(
        _ payload: UnsafeRawBufferPointer, field number: Int, _ ring: KeyRing
    ) -> Bool {
        unsafe keyID(payload) == ring.current.id
            && (payload[0] & SealedValue.tokenBit != 0) == fields[number].isSearchable
    }

    private func keyID(_ payload: UnsafeRawBufferPointer) -> UInt32 {
        unsafe UInt32(
            littleEndian: payload.loadUnaligned(
                fromByteOffset: SealedValue.keyIDOffset, as: UInt32.self))
    }

    /// Opens a payload into `plaintext`, which is as long as it says. Throws `.decryptionFailed` for anything that wasn't sealed there.
    @unsafe
    func open(
        _ payload: UnsafeRawBufferPointer, field number: Int, key: [UInt8], _ ring: KeyRing,
        into plaintext: UnsafeMutableRawBufferPointer
    ) throws(OfflineError) {
        let field = fields[number]
        let form = unsafe payload[0]
        let algorithm: EncryptionOptions.Algorithm =
            form & SealedValue.algorithmMask == 1 ? .xchacha20Poly1305 : .aes256GCM
        guard let fieldKey = ring.key(unsafe keyID(payload)) else {
            throw failed(field, key, "it was sealed with a key that the store doesn't have")
        }
        let start = SealedValue.sealedOffset(form)
        let head = unsafe UnsafeRawBufferPointer(rebasing: payload[..<start])
        let isWhole: Bool
        do {
            isWhole = try unsafe withContext(head, field, key, ring) { context in
                try unsafe Sodium.open(
                    UnsafeRawBufferPointer(rebasing: payload[start...]), algorithm,
                    key: fieldKey.sealing, nonce: nonce(head), authenticating: context,
                    into: plaintext)
            }
        } catch {
            throw failed(field, key, "\(error)")
        }
        guard isWhole else {
            throw failed(
                field, key, "what is there was changed, or was sealed for another place")
        }
    }

    private func failed(_ field: SensitiveField, _ key: [UInt8], _ why: String) -> OfflineError {
        OfflineError(
            .decryptionFailed, "field \"\(field.path.text)\" can't be opened: \(why)",
            collection: collection, key: try? KeyDecoder.value(key))
    }

    private func nonce(_ head: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        unsafe UnsafeRawBufferPointer(
            rebasing: head[SealedValue.nonceOffset..<SealedValue.tokenOffset])
    }

    /// The token that a field has of a value.
    fileprivate func token(_ value: Value, _ field: Int, _ key: FieldKey) -> [UInt8] {
        var message = fields[field].place
        KeyEncoder.append(value, to: &message)
        var token = [UInt8](repeating: 0, count: SealedValue.tokenLength)
        unsafe token.withUnsafeMutableBytes { unsafe hash(&message, key, into: $0[...]) }
        return token
    }

    /// Fills a token with the hash of the message, and wipes that.
    private func hash(
        _ message: inout [UInt8], _ key: FieldKey,
        into token: Slice<UnsafeMutableRawBufferPointer>
    ) {
        unsafe message.withUnsafeBytes { message in
            unsafe Sodium.hash(
                message, key: key.tokens, into: UnsafeMutableRawBufferPointer(rebasing: token))
        }
        message.wipe()
    }

    /// Calls `body` with what is authenticated with a value: where it is, and what of the payload is before the sealed bytes.
    @inline(__always)
    private func withContext<Result>(
        _ head: UnsafeRawBufferPointer, _ field: SensitiveField, _ key: [UInt8], _ ring: KeyRing,
        _ body: (UnsafeRawBufferPointer) throws -> Result
    ) rethrows -> Result {
        let count = ring.storeID.count + field.place.count + 4 + key.count + head.count
        return try unsafe withUnsafeTemporaryAllocation(byteCount: count, alignment: 8) { context in
            var rest = unsafe context[...]
            unsafe ring.storeID.withBytes { unsafe rest.fill($0) }
            unsafe field.place.withBytes { unsafe rest.fill($0) }
            let length = UInt32(truncatingIfNeeded: key.count).littleEndian
            unsafe withUnsafeBytes(of: length) { unsafe rest.fill($0) }
            unsafe key.withBytes { unsafe rest.fill($0) }
            unsafe rest.fill(head)
            return try unsafe body(UnsafeRawBufferPointer(context))
        }
    }
}

/// What index entries have in the place of one sensitive field's values.
struct FieldTokens: Sendable {
    fileprivate let sealing: CollectionSealing
    fileprivate let field: Int
    fileprivate let ring: KeyRing

    /// The keys that entries of the value may have: one for each data key that may have sealed it; for null its own.
    func keys(of value: Value) -> [[UInt8]] {
        if value.isNull { return [KeyEncoder.key(value)] }
        return ring.keys.map { key in
            KeyEncoder.sealedKey(token: sealing.token(value, field, key), keyID: key.id)
        }
    }
}

extension CollectionSealing {
    /// Makes the tokens of the sensitive field at the path, which is one; nil while the store is locked.
    func tokens(at path: FieldPath) -> FieldTokens? {
        guard let ring = vault.ringIfUnlocked,
            let field = fields.firstIndex(where: { $0.path == path })
        else { return nil }
        return FieldTokens(sealing: self, field: field, ring: ring)
    }
}

extension Slice<UnsafeMutableRawBufferPointer> {
    /// Copies bytes to where it begins; it begins behind them then. There is room.
    @inline(__always)
    fileprivate mutating func fill(_ bytes: UnsafeRawBufferPointer) {
        unsafe UnsafeMutableRawBufferPointer(rebasing: self).copyMemory(from: bytes)
        unsafe removeFirst(bytes.count)
    }
}

extension [UInt8] {
    /// Appends a length of four bytes, and the bytes.
    fileprivate mutating func appendCounted(_ bytes: some Collection<UInt8>) {
        let count = bytes.count
        for shift in [0, 8, 16, 24] as [Int] {
            append(UInt8(truncatingIfNeeded: count >> shift))
        }
        append(contentsOf: bytes)
    }
}
