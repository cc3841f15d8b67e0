// The rules that an access policy must keep. What is checked here can't fail in a session any more.
import OfflineDocuments

extension SchemaValidation {
    func checkAccessPolicy() throws(OfflineError) {
        for (number, rule) in (collection.accessPolicy?.rules ?? []).enumerated() {
            let name = "accessPolicy: rule \(number + 1), of \"\(rule.role)\","
            if rule.role.isEmpty { throw invalid("\(name) names no role") }
            if rule.operations.isEmpty { throw invalid("\(name) grants nothing") }
            do {
                _ = try FilterParser.parse(rule.filter)
            } catch {
                let message = (error as? OfflineError)?.message ?? "\(error)"
                throw invalid("\(name) has a filter that is none: \(message)")
            }
            for field in rule.hiddenFields { try check(hiddenField: field, name) }
        }
    }

    private func check(hiddenField field: String, _ rule: String) throws(OfflineError) {
        try check(paths: [field], "\(rule) hiddenFields")
        let path = try FieldPath(field)
        if path.components.contains(where: { $0.position != nil }) {
            throw invalid(
                "\(rule) hides \"\(field)\"; a position can't be hidden, since what is there changes"
            )
        }
        let hidden = HiddenFields([path.components.map(\.name)])
        for key in collection.keyPaths where hidden.touches(try FieldPath(key)) {
            throw invalid("\(rule) hides \"\(field)\"; a record's key can't be hidden")
        }
    }
}
