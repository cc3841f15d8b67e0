// The filter as callers hold it: an object of the query language, not yet checked. FilterParser reads it.
public import OfflineDocuments

/// A filter in the store's query language.
///
/// Built from a literal, a document, or `Field` expressions; checked when it is used, where a mistake is `.invalidQuery`.
///
/// ```swift
/// let adults: Filter = ["age": ["$gte": 18], "status": "active"]
/// let staff = adults && Field("role").isIn(["admin", "editor"])
/// ```
public struct Filter: Sendable, Hashable, ExpressibleByDictionaryLiteral {
    /// The object form; empty matches every record.
    let document: Document

    /// Matches every record.
    public static var all: Filter { Filter(Document()) }

    /// The filter that `document` spells out.
    public init(_ document: Document) {
        self.document = document
    }

    /// The filter with these members, all of which must hold.
    ///
    /// A path may come twice: `["age": ["$gt": 1], "age": ["$lt": 9]]` asks for both.
    public init(dictionaryLiteral elements: (String, Value)...) {
        let document = Document(fields: elements)
        guard document.count < elements.count else {
            self.init(document)
            return
        }
        // A document keeps one field of a name; as filters of their own, no member is lost.
        let members = elements.map { Value.object(Document(fields: [$0])) }
        self.init(Document(fields: [("$and", .array(members))]))
    }

    /// Both hold.
    ///
    /// A `$text` of one of them stays at the top, where it must be.
    public static func && (a: Filter, b: Filter) -> Filter {
        if a.document.isEmpty { return b }
        if b.document.isEmpty { return a }
        let searches = [a, b].compactMap { $0.document["$text"] }
        guard searches.count == 1 else { return combined("$and", a, b) }
        let others = a.withoutText && b.withoutText
        return Filter(
            Document(
                fields: [("$text", searches[0])] + others.document.map { ($0.name, $0.value) }))
    }

    private var withoutText: Filter {
        var document = document
        document["$text"] = nil
        return Filter(document)
    }

    /// At least one holds.
    public static func || (a: Filter, b: Filter) -> Filter {
        combined("$or", a, b)
    }

    /// It doesn't hold.
    public static prefix func ! (a: Filter) -> Filter {
        Filter(Document(fields: [("$nor", .array([.object(a.document)]))]))
    }

    /// One list for a chain of the same operator, so that a long chain doesn't nest.
    private static func combined(_ name: String, _ a: Filter, _ b: Filter) -> Filter {
        let filters = a.operands(of: name) + b.operands(of: name)
        return Filter(Document(fields: [(name, .array(filters))]))
    }

    private func operands(of name: String) -> [Value] {
        if document.count == 1, case .array(let filters)? = document[name], !filters.isEmpty {
            return filters
        }
        return [.object(document)]
    }
}
