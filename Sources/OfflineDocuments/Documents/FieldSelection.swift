// What `select` keeps of a record: the named paths, in the record's own shape and order.
//
//   at an object    the fields that a path names
//   at an array     the element at a position that a path names; of each object in it, the fields that a path names;
//                   nothing else
//   at a scalar     nothing, where a path goes on
//
// So `a.b` keeps {a: {b: 1}} of {a: {b: 1, c: 2}}, {a: {}} of {a: {c: 2}}, {a: [{b: 1}, {}]} of {a: [{b: 1, c: 2}, {}, 3]},
// and {} of {a: 1}.

/// The paths that a query selects.
package struct FieldSelection: Sendable {
    /// What is selected below a value.
    fileprivate struct Node: Sendable {
        var isWhole = false
        var children: [Child] = []
    }

    fileprivate struct Child: Sendable {
        let component: PathComponent<String>
        var node: Node
    }

    private var root = Node()

    package init(_ paths: [FieldPath]) {
        for path in paths { root.insert(path.components[...]) }
    }

    /// What is selected of a record.
    package func select(from document: Document) -> Document { root.select(from: document) }
}

extension FieldSelection.Node {
    mutating func insert(_ path: ArraySlice<PathComponent<String>>) {
        guard let first = path.first else {
            isWhole = true
            return
        }
        let index = children.firstIndex { $0.component.name.hasSameUTF8(as: first.name) }
        if index == nil { children.append(.init(component: first, node: .init())) }
        children[index ?? children.count - 1].node.insert(path.dropFirst())
    }

    func select(from document: Document) -> Document {
        var fields: [Document.Field] = []
        for name in document.fieldNames {
            let child = children.first { $0.component.name.hasSameUTF8(as: name) }
            guard let child, let value = document[name] else { continue }
            if let kept = child.node.select(from: value) {
                fields.append(Document.Field(name: name, value: kept))
            }
        }
        return Document(distinct: fields)
    }

    private func select(from value: Value) -> Value? {
        if isWhole { return value }
        switch value {
        case .object(let object): return .object(select(from: object))
        case .array(let elements): return .array(select(from: elements))
        default: return nil
        }
    }

    private func select(from elements: [Value]) -> [Value] {
        // A position that exists is a position only; one that doesn't may be a name in the objects.
        var names = self
        names.children.removeAll { ($0.component.position ?? elements.count) < elements.count }
        var kept: [Value] = []
        for (index, element) in elements.enumerated() {
            let atPosition = children.first { $0.component.position == index }?.node
            var node = atPosition
            if case .object = element, !names.children.isEmpty {
                node = names.union(atPosition)
            }
            if let value = node?.select(from: element) { kept.append(value) }
        }
        return kept
    }

    /// What either selects.
    private func union(_ other: Self?) -> Self {
        guard let other else { return self }
        var result = self
        result.isWhole = isWhole || other.isWhole
        for child in other.children {
            let name = child.component.name
            if let index = children.firstIndex(where: { $0.component.name.hasSameUTF8(as: name) }) {
                result.children[index].node = children[index].node.union(child.node)
            } else {
                result.children.append(child)
            }
        }
        return result
    }
}
