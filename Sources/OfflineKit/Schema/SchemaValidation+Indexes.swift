// The rules for indexes.
//
// - A full-text index has paths and nothing else; a collection has one at most.
// - Multi-entry and collation are for one path: entries of several elements, or of folded and whole
//   values, at several paths would be their product.
// - A partial index's filter decides which entries there are, so it must mean the same for ever:
//   no `$regex`, whose matching is bounded in time, and no `$text`, which needs another index.

extension SchemaValidation {
    func check(_ index: IndexSchema) throws(OfflineError) {
        if let problem = Self.problem(inName: index.name) {
            throw invalid("index name \"\(index.name)\" \(problem)")
        }
        let place = "index \"\(index.name)\": "
        try check(paths: index.keyPaths, "\(place)keyPath")
        if let problem = index.contradiction { throw invalid(place + problem) }
        if let filter = index.filter { try check(filter, place) }
    }

    private func check(_ filter: Filter, _ place: String) throws(OfflineError) {
        // Names first, so that the message for these operators is always this one. Every filter that
        // is not too deep is looked through.
        if let name = Self.name(in: .object(filter.document), depth: FilterParser.depthMax) {
            throw invalid("\(place)where has \(name), which no partial index may have")
        }
        do throws(OfflineError) {
            _ = try IndexState.condition(filter)
        } catch {
            throw invalid("\(place)where: \(error.message)")
        }
    }

    /// Operators that a partial index's filter may not have.
    private static let refusedOperators: Set<String> = ["$regex", "$options", "$text"]

    /// The first of them in a filter, anywhere.
    private static func name(in value: Value, depth: Int) -> String? {
        guard depth > 0 else { return nil }
        switch value {
        case .array(let elements):
            return elements.lazy.compactMap { name(in: $0, depth: depth - 1) }.first
        case .object(let document):
            return document.lazy.compactMap { name, value in
                refusedOperators.contains(name) ? name : Self.name(in: value, depth: depth - 1)
            }.first
        default: return nil
        }
    }
}

extension IndexSchema {
    /// What in it excludes each other; nil if nothing does.
    var contradiction: String? {
        let options: [(name: String, isSet: Bool, isForOnePath: Bool)] = [
            ("unique", isUnique, false), ("multiEntry", isMultiEntry, true),
            ("collation", collation != .binary, true), ("where", filter != nil, false),
        ]
        for option in options where option.isSet {
            if kind == .fullText { return "\(option.name) is not for a full-text index" }
            if option.isForOnePath, keyPaths.count > 1 {
                return "\(option.name) is for an index on one path; this one has \(keyPaths.count)"
            }
        }
        return nil
    }
}
