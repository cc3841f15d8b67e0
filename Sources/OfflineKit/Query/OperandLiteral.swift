// Operands that plain JSON has no literal for, such as `{"$date": "ISO 8601"}` and `{"$data": "base64"}`: alone or inside
// arrays and objects, they are replaced by what they stand for (ExtendedJSON).
import OfflineDocuments

/// Resolves literals in operands, of bounded depth.
enum OperandLiteral {
    /// Whether the object stands for another value.
    static func isLiteral(_ object: Document) -> Bool {
        ExtendedJSON.isTagged(object)
    }

    /// `value` with every literal in it replaced. Throws `.invalidQuery` without the place, which the caller adds.
    static func resolve(_ value: Value) throws(OfflineError) -> Value {
        guard isWithin(depth: FilterParser.depthMax, value) else {
            throw OfflineError(
                .invalidQuery, "it nests deeper than \(FilterParser.depthMax) levels")
        }
        return try ExtendedJSON.resolve(value)
    }

    private static func isWithin(depth: Int, _ value: Value) -> Bool {
        switch value {
        case .array(let elements):
            depth > 0 && elements.allSatisfy { isWithin(depth: depth - 1, $0) }
        case .object(let object):
            depth > 0 && object.allSatisfy { isWithin(depth: depth - 1, $0.value) }
        default: true
        }
    }
}
