// Encodable types to values. Containers write into nodes, which become a value when all is encoded: containers that were handed
// out may be written to in any order, and by a superclass as well.
//
// Misuse that traps in JSONEncoder (two kinds of container for one value) is an error here.
internal import Foundation

/// The encoder behind `Document(encoding:)`.
struct ValueEncoder: Encoder {
    fileprivate let node: ValueNode
    fileprivate let place: Place

    var codingPath: [any CodingKey] { place.path }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    /// Types within each other, at most: it bounds the recursion also where objects refer to each other in a circle. A type can be
    /// within another one that adds no level to the value.
    private static let depthMax = 2 * RecordLimits.depthMax

    /// Where in the instance an encoder or container is.
    fileprivate struct Place {
        var path: [any CodingKey] = []
        /// How many instances are around it.
        var depth = 0

        func within(_ key: any CodingKey) -> Place { Place(path: path + [key], depth: depth) }
    }

    /// The value that `instance` encodes as.
    static func value(of instance: some Encodable) throws -> Value {
        try item(instance, at: Place()).value()
    }

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
        KeyedEncodingContainer(FieldWriter(node: node.asObject(), place: place))
    }

    func unkeyedContainer() -> any UnkeyedEncodingContainer {
        ElementWriter(node: node.asArray(), place: place)
    }

    func singleValueContainer() -> any SingleValueEncodingContainer {
        ScalarWriter(node: node, place: place)
    }

    fileprivate static func item<T: Encodable>(
        _ instance: T, at place: Place
    ) throws -> ValueNode.Item {
        if let value = CodingBridge.value(of: instance) { return .value(value) }
        guard place.path.count <= RecordLimits.depthMax, place.depth <= Self.depthMax else {
            throw failure("nesting deeper than \(RecordLimits.depthMax) levels", instance, place)
        }
        let node = ValueNode()
        let inner = Place(path: place.path, depth: place.depth + 1)
        try instance.encode(to: ValueEncoder(node: node, place: inner))
        guard !node.isMisused else {
            throw failure("a type that asks for two kinds of container", instance, place)
        }
        return node.content.scalar.map(ValueNode.Item.value) ?? .node(node)
    }

    private static func failure(
        _ message: String, _ instance: Any, _ place: Place
    ) -> EncodingError {
        .invalidValue(
            instance,
            .init(
                codingPath: place.path, debugDescription: message,
                underlyingError: CodingIssue(message: message)))
    }
}

// MARK: - Nodes

/// What one instance has encoded so far.
private final class ValueNode {
    enum Item {
        case value(Value)
        case node(ValueNode)

        func value() -> Value {
            switch self {
            case .value(let value): value
            case .node(let node): node.value()
            }
        }
    }

    enum Content {
        case nothing
        case scalar(Value)
        case array([Item])
        case object([(name: String, item: Item)])

        var scalar: Value? {
            if case .scalar(let value) = self { value } else { nil }
        }
    }

    var content = Content.nothing
    /// Whether containers of two kinds were asked for.
    private(set) var isMisused = false

    /// This node, to be written as an object; another one, which leads nowhere, if it is something else already.
    func asObject() -> ValueNode {
        switch content {
        case .nothing: content = .object([])
        case .object: break
        case .scalar, .array: return misused(.object([]))
        }
        return self
    }

    /// This node, to be written as an array; another one, which leads nowhere, if it is something else already.
    func asArray() -> ValueNode {
        switch content {
        case .nothing: content = .array([])
        case .array: break
        case .scalar, .object: return misused(.array([]))
        }
        return self
    }

    /// Makes the node a single value, or what another node has become.
    func set(_ item: Item) {
        guard case .nothing = content else { return isMisused = true }
        switch item {
        case .value(let value): content = .scalar(value)
        case .node(let node): content = node.content
        }
    }

    private func misused(_ content: Content) -> ValueNode {
        isMisused = true
        let other = ValueNode()
        other.content = content
        return other
    }

    var elementCount: Int {
        if case .array(let items) = content { items.count } else { 0 }
    }

    func append(_ item: Item) {
        guard case .array(var items) = content else { return }
        content = .nothing  // so that `items` is the only reference, and grows in place
        items.append(item)
        content = .array(items)
    }

    func append(_ item: Item, named name: String) {
        guard case .object(var items) = content else { return }
        content = .nothing
        items.append((name, item))
        content = .object(items)
    }

    /// The node of a field: the one that has the name already, or a new one.
    func node(named name: String) -> ValueNode {
        if case .object(let items) = content {
            for case (let other, .node(let node)) in items where other.hasSameUTF8(as: name) {
                return node
            }
        }
        let node = ValueNode()
        append(.node(node), named: name)
        return node
    }

    /// What was encoded; an object without fields if nothing was. Of a name that was encoded twice the last value counts.
    func value() -> Value {
        switch content {
        case .nothing: .object(Document())
        case .scalar(let value): value
        case .array(let items): .array(items.map { $0.value() })
        case .object(let items):
            .object(Document(fields: items.lazy.map { ($0.name, $0.item.value()) }))
        }
    }
}

// MARK: - Containers

private struct FieldWriter<Key: CodingKey>: KeyedEncodingContainerProtocol {
    let node: ValueNode
    let place: ValueEncoder.Place

    var codingPath: [any CodingKey] { place.path }

    private func write(_ value: Value, _ key: Key) {
        node.append(.value(value), named: key.stringValue)
    }

    func encodeNil(forKey key: Key) { write(.null, key) }
    func encode(_ value: Bool, forKey key: Key) { write(.bool(value), key) }
    func encode(_ value: String, forKey key: Key) { write(.string(value), key) }
    func encode(_ value: Double, forKey key: Key) { write(.double(value), key) }
    func encode(_ value: Float, forKey key: Key) { write(.double(Double(value)), key) }
    func encode(_ value: Int, forKey key: Key) { write(CodingBridge.value(value), key) }
    func encode(_ value: Int8, forKey key: Key) { write(CodingBridge.value(value), key) }
    func encode(_ value: Int16, forKey key: Key) { write(CodingBridge.value(value), key) }
    func encode(_ value: Int32, forKey key: Key) { write(CodingBridge.value(value), key) }
    func encode(_ value: Int64, forKey key: Key) { write(CodingBridge.value(value), key) }
    func encode(_ value: Int128, forKey key: Key) { write(CodingBridge.value(value), key) }
    func encode(_ value: UInt, forKey key: Key) { write(CodingBridge.value(value), key) }
    func encode(_ value: UInt8, forKey key: Key) { write(CodingBridge.value(value), key) }
    func encode(_ value: UInt16, forKey key: Key) { write(CodingBridge.value(value), key) }
    func encode(_ value: UInt32, forKey key: Key) { write(CodingBridge.value(value), key) }
    func encode(_ value: UInt64, forKey key: Key) { write(CodingBridge.value(value), key) }
    func encode(_ value: UInt128, forKey key: Key) { write(CodingBridge.value(value), key) }

    func encode<T: Encodable>(_ value: T, forKey key: Key) throws {
        node.append(try ValueEncoder.item(value, at: place.within(key)), named: key.stringValue)
    }

    func nestedContainer<NestedKey: CodingKey>(
        keyedBy keyType: NestedKey.Type, forKey key: Key
    ) -> KeyedEncodingContainer<NestedKey> {
        encoder(key).container(keyedBy: keyType)
    }

    func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
        encoder(key).unkeyedContainer()
    }

    func superEncoder() -> any Encoder { encoder(FieldKey.superclass) }
    func superEncoder(forKey key: Key) -> any Encoder { encoder(key) }

    private func encoder(_ key: any CodingKey) -> ValueEncoder {
        ValueEncoder(node: node.node(named: key.stringValue), place: place.within(key))
    }
}

private struct ElementWriter: UnkeyedEncodingContainer {
    let node: ValueNode
    let place: ValueEncoder.Place

    var codingPath: [any CodingKey] { place.path }

    var count: Int { node.elementCount }

    private func write(_ value: Value) { node.append(.value(value)) }

    func encodeNil() { write(.null) }
    func encode(_ value: Bool) { write(.bool(value)) }
    func encode(_ value: String) { write(.string(value)) }
    func encode(_ value: Double) { write(.double(value)) }
    func encode(_ value: Float) { write(.double(Double(value))) }
    func encode(_ value: Int) { write(CodingBridge.value(value)) }
    func encode(_ value: Int8) { write(CodingBridge.value(value)) }
    func encode(_ value: Int16) { write(CodingBridge.value(value)) }
    func encode(_ value: Int32) { write(CodingBridge.value(value)) }
    func encode(_ value: Int64) { write(CodingBridge.value(value)) }
    func encode(_ value: Int128) { write(CodingBridge.value(value)) }
    func encode(_ value: UInt) { write(CodingBridge.value(value)) }
    func encode(_ value: UInt8) { write(CodingBridge.value(value)) }
    func encode(_ value: UInt16) { write(CodingBridge.value(value)) }
    func encode(_ value: UInt32) { write(CodingBridge.value(value)) }
    func encode(_ value: UInt64) { write(CodingBridge.value(value)) }
    func encode(_ value: UInt128) { write(CodingBridge.value(value)) }

    func encode<T: Encodable>(_ value: T) throws {
        node.append(try ValueEncoder.item(value, at: place.within(FieldKey(position: count))))
    }

    func nestedContainer<NestedKey: CodingKey>(
        keyedBy keyType: NestedKey.Type
    ) -> KeyedEncodingContainer<NestedKey> {
        encoder().container(keyedBy: keyType)
    }

    func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer { encoder().unkeyedContainer() }
    func superEncoder() -> any Encoder { encoder() }

    private func encoder() -> ValueEncoder {
        let key = FieldKey(position: count)
        let element = ValueNode()
        node.append(.node(element))
        return ValueEncoder(node: element, place: place.within(key))
    }
}

private struct ScalarWriter: SingleValueEncodingContainer {
    let node: ValueNode
    let place: ValueEncoder.Place

    var codingPath: [any CodingKey] { place.path }

    private func write(_ value: Value) { node.set(.value(value)) }

    func encodeNil() { write(.null) }
    func encode(_ value: Bool) { write(.bool(value)) }
    func encode(_ value: String) { write(.string(value)) }
    func encode(_ value: Double) { write(.double(value)) }
    func encode(_ value: Float) { write(.double(Double(value))) }
    func encode(_ value: Int) { write(CodingBridge.value(value)) }
    func encode(_ value: Int8) { write(CodingBridge.value(value)) }
    func encode(_ value: Int16) { write(CodingBridge.value(value)) }
    func encode(_ value: Int32) { write(CodingBridge.value(value)) }
    func encode(_ value: Int64) { write(CodingBridge.value(value)) }
    func encode(_ value: Int128) { write(CodingBridge.value(value)) }
    func encode(_ value: UInt) { write(CodingBridge.value(value)) }
    func encode(_ value: UInt8) { write(CodingBridge.value(value)) }
    func encode(_ value: UInt16) { write(CodingBridge.value(value)) }
    func encode(_ value: UInt32) { write(CodingBridge.value(value)) }
    func encode(_ value: UInt64) { write(CodingBridge.value(value)) }
    func encode(_ value: UInt128) { write(CodingBridge.value(value)) }

    func encode<T: Encodable>(_ value: T) throws {
        node.set(try ValueEncoder.item(value, at: place))
    }
}
