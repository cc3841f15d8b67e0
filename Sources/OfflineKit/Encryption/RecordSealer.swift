// Seals the fields of one statement's records, while they are encoded.
//
// Nonces are random and never kept: what one call to the system gave is used up, or dropped, within the statement, which is one
// uninterrupted call on one thread's stack. So neither a forked process nor anything restored from a disk has any of it.
internal import OfflineBytes
import OfflineDocuments

/// Seals records, one after another. For one thread at a time.
final class RecordSealer: FieldSealer {
    private let sealing: CollectionSealing
    /// The keys for all records; nil: those that the store has.
    private let fixed: KeyRing?
    /// The keys for the record that is being sealed; nil as long as it had nothing to seal.
    private var ring: KeyRing?
    private var nonces = Nonces()
    private var scratch: [UInt8] = []
    /// The key of the record that is encoded next.
    var key: [UInt8] = [] {
        didSet { ring = fixed }
    }

    init(_ sealing: CollectionSealing, _ ring: KeyRing? = nil) {
        self.sealing = sealing
        fixed = ring
    }

    var fields: FieldTree { sealing.tree }

    func overhead(ofPath path: Int) -> Int { sealing.overhead(ofField: path) }

    @unsafe
    func seal(
        _ plaintext: UnsafeRawBufferPointer, _ value: EncodedValue, path: Int,
        into payload: UnsafeMutableRawBufferPointer
    ) throws(OfflineError) {
        let ring = if let known = self.ring { known } else { try sealing.vault.ring() }
        self.ring = ring
        unsafe nonces.fill(
            UnsafeMutableRawBufferPointer(
                rebasing: payload[SealedValue.nonceOffset..<SealedValue.tokenOffset]))
        do {
            try unsafe sealing.seal(
                plaintext, value, field: path, key: key, ring, &scratch, into: payload)
        } catch {
            throw OfflineError(.storageUnavailable, "a field can't be sealed: \(error)")
        }
    }

    /// The keys that the record is sealed with; nil while the store is locked.
    var ringIfUnlocked: KeyRing? { ring ?? sealing.vault.ringIfUnlocked }

    /// The record, with all opened that isn't sealed as these keys seal it now; nil where all is. What is sealed for the record from now
    /// on is sealed with them.
    @unsafe
    func opening(_ record: RecordView, _ ring: KeyRing) throws -> Document? {
        self.ring = ring
        let isLeft = unsafe sealing.tree.contains(in: record) { field, value in
            guard let payload = unsafe value.sealedPayload else { return true }
            return unsafe !sealing.isCurrent(payload, field: field, ring)
        }
        if !isLeft { return nil }
        return try sealing.withOpener(key) { opener in
            try unsafe opener.withOpened(record, ring, keepsCurrent: true) {
                unsafe Document(copying: $0)
            }
        }
    }
}

/// Random bytes of the system, fetched for several nonces at once: each call costs as much as sealing a short value.
private struct Nonces {
    private static let countMax = 32
    private var bytes: [UInt8] = []
    private var used = 0
    private var count = 1

    /// Fills `nonce`, which has so many bytes at most as all that are fetched at first.
    @unsafe
    mutating func fill(_ nonce: UnsafeMutableRawBufferPointer) {
        if bytes.count - used < nonce.count {
            // One that is alone fetches little, many fetch many.
            count = min(count * 2, Self.countMax)
            bytes = Sodium.random(count: count * SealedValue.nonceLength)
            used = 0
        }
        let next = used..<used + nonce.count
        unsafe bytes.withUnsafeBytes {
            unsafe nonce.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[next]))
        }
        used = next.upperBound
    }
}
