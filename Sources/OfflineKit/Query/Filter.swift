// The filter as callers hold it: an object of the query language, not yet checked. FilterParser reads it.
public import OfflineDocuments

/// A filter in the store's query language.
///
/// Built from a literal, a document, or `Field` expressions; checked when it is used, where a mistake is `.invalidQuery`.
public struct Filter: Sendable, Hashable {
    /// The object form; nil matches every record.
    let document: Document?

    /// Matches every record.
    public static var all: Filter { Filter(document: nil) }

    /// The filter that `document` spells out.
    public init(_ document: Document) {
        self.init(document: document)
    }

    private init(document: Document?) {
        self.document = document
    }
}
