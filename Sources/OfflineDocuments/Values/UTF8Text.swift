// Strings by their UTF-8 bytes. Swift's own == on String is canonical equivalence, under which "é" and "e" + accent are
// equal: the wrong comparison everywhere in this store.
internal import OfflineBytes

extension String {
    /// Calls `body` with the string's UTF-8 bytes, in place where the string holds them contiguously.
    @inline(always)
    package func withUTF8Bytes<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try unsafe utf8Span.span.withUnsafeBytes(body)
    }

    /// Whether both are the same bytes.
    package func hasSameUTF8(as other: String) -> Bool {
        // Equal strings have equal counts, which native strings know without a walk.
        utf8.count == other.utf8.count && String.orderByUTF8(self, other) == 0
    }

    /// Negative, zero or positive as `a`'s bytes are before, equal to or after `b`'s.
    package static func orderByUTF8(_ a: String, _ b: String) -> Int {
        unsafe a.withUTF8Bytes { left in
            unsafe b.withUTF8Bytes { unsafe ByteOrder.compare(left, $0) }
        }
    }
}

/// A string as a dictionary's key, equal by its bytes.
package struct ExactString: Hashable, Sendable {
    package let text: String

    package init(_ text: String) { self.text = text }

    package static func == (a: ExactString, b: ExactString) -> Bool {
        a.text.hasSameUTF8(as: b.text)
    }

    package func hash(into hasher: inout Hasher) { hasher.combine(text) }
}
