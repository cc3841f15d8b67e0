// What is at a path: the one place that says how paths step through objects and arrays.
//
//   at an object    a name (numbers are names too) steps to the field; where there is none, something is missing
//   at an array     a number steps to that position where the array is long enough, and to nothing else; the element is
//                   then one value, not its elements. Any other name steps into each object among the elements; other
//                   elements, arrays among them, have nothing at the path and miss nothing either
//   at a scalar     something is missing
//
// So `a.b` finds 1 and 2 in {a: [{b: 1}, {b: 2}, 3]}, misses something in {}, {a: 1}, {a: {}} and {a: [{}]}, and neither
// finds nor misses anything in {a: []} and {a: [1]}.
internal import OfflineBytes

/// What a path can step through.
private protocol PathNode {
    associatedtype Name: Sendable
    var kind: ValueKind { get }
    /// An object's field.
    func child(_ name: Name) -> Self?
    /// How many elements an array has.
    var elementCount: Int { get }
    func element(at index: Int) -> Self
}

extension PathNode {
    /// Visits what is at the path's components from `index` on, until `visit` returns false. Returns false then.
    ///
    /// The recursion is bounded by the value's depth, and by the path's length.
    @inline(__always)
    fileprivate func walk(
        _ path: [PathComponent<Name>], from index: Int, crossedArray: inout Bool,
        _ visit: (_ found: Self?, _ isElement: Bool) -> Bool
    ) -> Bool {
        guard kind == .object else { return visit(nil, false) }
        guard let child = child(path[index].name) else { return visit(nil, false) }
        if index + 1 == path.count { return visit(child, false) }
        return child.step(path, from: index + 1, crossedArray: &crossedArray, visit)
    }

    /// The same from any value on.
    private func step(
        _ path: [PathComponent<Name>], from index: Int, crossedArray: inout Bool,
        _ visit: (_ found: Self?, _ isElement: Bool) -> Bool
    ) -> Bool {
        guard kind == .array else {
            return walk(path, from: index, crossedArray: &crossedArray, visit)
        }
        let count = elementCount
        if let position = path[index].position, position < count {
            let element = element(at: position)
            if index + 1 == path.count { return visit(element, true) }
            return element.step(path, from: index + 1, crossedArray: &crossedArray, visit)
        }
        crossedArray = true
        for position in 0..<count {
            let element = element(at: position)
            guard element.kind == .object else { continue }
            if !element.walk(path, from: index, crossedArray: &crossedArray, visit) { return false }
        }
        return true
    }
}

extension Value: PathNode {
    fileprivate func child(_ name: String) -> Value? { self[name] }

    fileprivate var elementCount: Int {
        if case .array(let elements) = self { elements.count } else { 0 }
    }

    fileprivate func element(at index: Int) -> Value { self[index] ?? .null }
}

extension EncodedValue: @unsafe PathNode {
    fileprivate func child(_ name: FieldName) -> EncodedValue? { unsafe field(name) }

    fileprivate var elementCount: Int { unsafe count }

    fileprivate func element(at index: Int) -> EncodedValue { unsafe element(index) }
}

extension EncodedValue {
    /// Visits what is at a path of this object: each value found, or nil where something is missing. A condition on an
    /// array looks at its elements too, unless `isElement`: then the path named a position. `visit` returns whether to go
    /// on.
    ///
    /// Returns whether it went through the elements of an array, by which one record can have several values at the path.
    @discardableResult
    package func visit(
        _ path: CompiledPath, _ visit: (_ found: EncodedValue?, _ isElement: Bool) -> Bool
    ) -> Bool {
        var crossedArray = false
        _ = unsafe walk(path.components, from: 0, crossedArray: &crossedArray, visit)
        return crossedArray
    }
}

extension Document {
    /// Visits what is at a path: each value found, or nil where something is missing. A condition on an array looks at
    /// its elements too, unless `isElement`: then the path named a position. `visit` returns whether to go on.
    ///
    /// Returns whether it went through the elements of an array, by which one record can have several values at the path.
    @discardableResult
    package func visit(
        _ path: FieldPath, _ visit: (_ found: Value?, _ isElement: Bool) -> Bool
    ) -> Bool {
        var crossedArray = false
        _ = Value.object(self).walk(
            path.components, from: 0, crossedArray: &crossedArray, visit)
        return crossedArray
    }
}
