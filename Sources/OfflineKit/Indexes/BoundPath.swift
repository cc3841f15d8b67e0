// A path bound to a dictionary, followed to the one value that an index keeps of it.
internal import OfflineBytes

/// A path whose names are resolved to ids.
struct BoundPath: Sendable {
    let steps: [PathComponent<FieldName>]

    init(_ path: FieldPath, in names: NameDictionary) {
        steps = path.compiled(in: names).components
    }

    /// What a path leads to in one record.
    @unsafe
    struct Resolution {
        /// The value; nil where there is none, or where there is no one value.
        let value: EncodedValue?
        /// The value is an array, or the path steps through one.
        let isThroughArray: Bool
    }

    /// Follows the path from a record's object.
    @unsafe
    func resolve(in root: EncodedValue) -> Resolution {
        var value = unsafe root
        for step in steps {
            switch unsafe value.kind {
            case .object:
                guard let field = unsafe value.field(step.name) else {
                    return unsafe Resolution(value: nil, isThroughArray: false)
                }
                unsafe value = unsafe field
            case .array:
                guard let position = step.position, unsafe position < value.count else {
                    return unsafe Resolution(value: nil, isThroughArray: true)
                }
                unsafe value = unsafe value.element(position)
            default:
                return unsafe Resolution(value: nil, isThroughArray: false)
            }
        }
        return unsafe Resolution(
            value: value, isThroughArray: value.kind == .array || value.isSealedArray)
    }
}
