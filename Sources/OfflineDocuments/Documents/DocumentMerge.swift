// Changes between documents, field by top-level field: what a merging update and synchronization work with.

/// Merging and comparing documents by their top-level fields.
package enum DocumentMerge {
    /// `document` with each of `fields` in place of its own of that name, or after them. A null is stored: removing a
    /// field takes a replace.
    package static func merge(_ fields: Document, into document: Document) -> Document {
        var result = document
        for (name, value) in fields.withoutIncludes { result[name] = value }
        return result
    }

    /// The names of the top-level fields that one document has and the other has not, or has with another value; those
    /// of `new` first, each document's in its order.
    package static func changedFields(from old: Document, to new: Document) -> [String] {
        let set = new.fieldNames.filter { old[$0] != new[$0] }
        let removed = old.fieldNames.filter { new[$0] == nil }
        return set + removed
    }
}
