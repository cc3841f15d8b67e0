// The last step of compiling a schema: finds what its references lead to, refuses what could never be evaluated, and marks the nodes
// that can be asked of one value more than once.
import OfflineDocuments

/// Links what SchemaCompiler has read.
struct SchemaLinker {
    /// How many schemas may ask each other about one and the same value in a row. With the depth of records it bounds the depth of
    /// evaluation.
    static let chainMax = 32

    private let compiler: SchemaCompiler
    /// The longest chain of schemas about one value from each node on; nil: not known yet.
    private var heights: [Int?]
    private var isOnPath: [Bool]

    /// Fills in the compiler's references; its nodes.
    static func linked(_ compiler: inout SchemaCompiler) throws(OfflineError) -> [SchemaProgram
        .Node]
    {
        for reference in compiler.references {
            compiler.lists[reference.list] = try target(of: reference, in: compiler)
        }
        var linker = SchemaLinker(compiler)
        for node in compiler.nodes.indices { _ = try linker.height(of: node, above: 0) }
        return linker.marked()
    }

    private init(_ compiler: SchemaCompiler) {
        self.compiler = compiler
        heights = Array(repeating: nil, count: compiler.nodes.count)
        isOnPath = Array(repeating: false, count: compiler.nodes.count)
    }

    // MARK: References

    private static func target(
        of reference: SchemaCompiler.Reference, in compiler: SchemaCompiler
    ) throws(OfflineError) -> Int {
        let (uri, fragment) = SchemaURI.parse(reference.text)
        let base = reference.base.resolve(uri)
        guard let resource = compiler.resources[base] else {
            throw SchemaCompiler.problem(
                "\"\(reference.text)\" leads out of the schema, and nothing is fetched",
                reference.pointer)
        }
        let name = SchemaPointer.decoded(fragment ?? "")
        var found: Int?
        if let name, name.isEmpty || name.hasPrefix("/") {
            found = compiler.locations[ExactString(resource + name)]
        } else if let name {
            found =
                compiler.anchors[
                    SchemaCompiler.Anchor(uri: base, name: ExactString(name))]
        }
        guard let found else {
            throw SchemaCompiler.problem(
                "there is no schema at \"\(reference.text)\"", reference.pointer)
        }
        return found
    }

    // MARK: Chains

    /// The longest chain from this node on.
    private mutating func height(of node: Int, above: Int) throws(OfflineError) -> Int {
        if isOnPath[node] {
            throw SchemaCompiler.problem(
                "the schema refers to itself without a step into the value, so that nothing could "
                    + "ever be decided", compiler.pointers[node])
        }
        if let known = heights[node] { return known }
        guard above < SchemaLinker.chainMax else { throw tooLong(node) }
        isOnPath[node] = true
        var height = 1
        for child in children(of: node, inPlace: true) {
            height = max(height, try self.height(of: child, above: above + 1) + 1)
        }
        isOnPath[node] = false
        guard height <= SchemaLinker.chainMax else { throw tooLong(node) }
        heights[node] = height
        return height
    }

    private func tooLong(_ node: Int) -> OfflineError {
        SchemaCompiler.problem(
            "more than \(SchemaLinker.chainMax) schemas ask about one value, each because of the one "
                + "before", compiler.pointers[node])
    }

    /// What a node leads to: schemas about the same value, or about what is in it.
    private func children(of node: Int, inPlace: Bool) -> [Int] {
        compiler.rules[compiler.nodes[node].rules].flatMap { rule -> [Int] in
            switch rule.test {
            case .reference(let list): inPlace ? [compiler.lists[list]] : []
            case .all(let range), .any(let range), .one(let range):
                inPlace ? Array(compiler.lists[range]) : []
            case .not(let inner): inPlace ? [inner] : []
            case .condition(let condition, let then, let otherwise):
                inPlace ? [condition] + [then, otherwise].compactMap { $0 } : []
            case .fields(let range, let others):
                inPlace
                    ? [] : compiler.properties[range].map(\.node) + (others.map { [$0.node] } ?? [])
            case .firstElements(let range): inPlace ? [] : Array(compiler.lists[range])
            case .elements(let inner, _): inPlace ? [] : [inner]
            default: []
            }
        }
    }

    // MARK: Sharing

    /// The nodes, those marked that more than one other leads to.
    private func marked() -> [SchemaProgram.Node] {
        var nodes = compiler.nodes
        var isReached = Array(repeating: false, count: nodes.count)
        isReached[SchemaProgram.root] = true
        for node in nodes.indices {
            for child in children(of: node, inPlace: true) + children(of: node, inPlace: false) {
                if isReached[child] { nodes[child].isShared = true }
                isReached[child] = true
            }
        }
        return nodes
    }
}
