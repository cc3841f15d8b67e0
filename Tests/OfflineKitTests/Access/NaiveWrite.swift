// Writes of a session by their definition, on a list of plain documents.
import Foundation
import Testing

@testable import OfflineKit

enum NaiveWrite: CustomStringConvertible {
    case create([Document])
    case update([Document], UpdateMode)
    case upsert(Document)
    case delete([Value])

    var description: String {
        switch self {
        case .create(let documents): "create \(documents.map { $0.json() })"
        case .update(let documents, let mode): "\(mode) \(documents.map { $0.json() })"
        case .upsert(let document): "upsert \(document.json())"
        case .delete(let keys): "delete \(keys.map { $0.json() })"
        }
    }

    /// The keys that the caller names.
    private var keys: [Value] {
        switch self {
        case .create(let documents), .update(let documents, _): documents.compactMap { $0["id"] }
        case .upsert(let document): [document["id"] ?? .null]
        case .delete(let keys): keys
        }
    }

    /// How a write ended.
    enum Result: Equatable {
        case done(Int)
        case failed(String)
    }

    /// Runs it; an error must not give anything away.
    func run(
        on writer: any StoreWriter, _ place: String, _ model: NaiveAccess, _ stored: [Document]
    ) async throws -> (result: Result, returned: [Document]) {
        do {
            switch self {
            case .create(let documents):
                let returned =
                    documents.count == 1
                    ? [try await writer.create("notes", documents[0])]
                    : try await writer.createBatch("notes", documents)
                return (.done(documents.count), returned)
            case .update(let documents, let mode):
                let returned =
                    documents.count == 1
                    ? [try await writer.update("notes", documents[0], mode: mode)]
                    : try await writer.updateBatch("notes", documents, mode: mode)
                return (.done(documents.count), returned)
            case .upsert(let document):
                return (.done(1), [try await writer.upsert("notes", document)])
            case .delete(let keys):
                if keys.count == 1 {
                    let wasThere = try await writer.delete("notes", keys[0])
                    return (.done(wasThere ? 1 : 0), [])
                }
                return (.done(try await writer.deleteBatch("notes", keys)), [])
            }
        } catch let error as OfflineError {
            let text = "\(error)"
            #expect(!text.contains(AccessWorld.marker), "\(text), \(place)")
            for document in stored where model.seen(document) == nil {
                let key = document["id"]?.stringValue ?? ""
                let isOwn = keys.contains(.string(key)) && error.code == .notFound
                #expect(isOwn || !text.contains(key), "\(text), \(place)")
            }
            return (.failed(error.code.description), [])
        }
    }
}

extension NaiveAccess {
    /// What a write does: how it ends, what it returns, and what is there afterwards.
    func outcome(
        of write: NaiveWrite, on stored: [Document]
    ) -> (result: NaiveWrite.Result, returned: [Document], stored: [Document]) {
        var records = stored
        do throws(Refusal) {
            let (count, written) = try apply(write, &records)
            let sorted = records.sorted {
                NaiveOrder.compare($0["id"] ?? .null, $1["id"] ?? .null) < 0
            }
            let returned = written.map { seen($0) ?? ["id": $0["id"] ?? .null] }
            return (.done(count), returned, sorted)
        } catch {
            return (.failed(error.rawValue), [], stored)
        }
    }

    private enum Refusal: String, Error {
        case accessDenied
        case alreadyExists
        case notFound
    }

    private func apply(
        _ write: NaiveWrite, _ records: inout [Document]
    ) throws(Refusal) -> (Int, [Document]) {
        let before = records
        func old(_ key: Value?) -> Document? { before.first { $0["id"] == key } }
        func put(_ document: Document) {
            records.removeAll { $0["id"] == document["id"] }
            records.append(document)
        }
        var written: [Document] = []
        switch write {
        case .create(let documents):
            if !grants(.create) { throw .accessDenied }
            for document in documents {
                if let old = old(document["id"]) {
                    throw seen(old) == nil ? .accessDenied : .alreadyExists
                }
                written.append(try created(document))
            }
        case .update(let documents, let mode):
            if !grants(.update) { throw .accessDenied }
            for document in documents {
                guard let old = old(document["id"]) else { throw .notFound }
                if !reaches(.update, old), seen(old) == nil { throw .notFound }
                written.append(try changed(old, by: document, mode))
            }
        case .upsert(let document):
            if !grants(.create), !grants(.update) { throw .accessDenied }
            if let old = old(document["id"]) {
                written = [try changed(old, by: document, .replace)]
            } else {
                written = [try created(document)]
            }
        case .delete(let keys):
            if !grants(.delete) { throw .accessDenied }
            var count = 0
            for key in keys {
                guard let old = old(key) else { continue }
                guard reaches(.delete, old) else {
                    if seen(old) != nil { throw .accessDenied }
                    continue
                }
                records.removeAll { $0["id"] == key }
                count += 1
            }
            return (count, [])
        }
        for document in written { put(document) }
        return (written.count, written)
    }

    private func created(_ document: Document) throws(Refusal) -> Document {
        if !grants(.create) || !reaches(.create, document) { throw .accessDenied }
        let unwritable = hidden(.create, document) + unreadable(document)
        if unwritable.contains(where: { Self.has($0, document) }) {
            throw .accessDenied
        }
        return document
    }

    private func changed(
        _ old: Document, by document: Document, _ mode: UpdateMode
    ) throws(Refusal) -> Document {
        if !grants(.update) || !reaches(.update, old) { throw .accessDenied }
        let kept = unwritable(old)
        let visible = Self.without(kept, old)
        var new = document
        if mode == .merge {
            new = visible
            for (name, value) in document { new[name] = value }
        }
        for path in kept {
            if Self.has(path, new) { throw .accessDenied }
            // What holds it can't go, nor can an array of such.
            for parent in Self.parents(of: path) {
                if visible.value(at: parent)?.objectValue != nil,
                    new.value(at: parent)?.objectValue == nil
                {
                    throw .accessDenied
                }
                if let elements = visible.value(at: parent)?.arrayValue,
                    elements.contains(where: { $0.objectValue != nil }),
                    new.value(at: parent) != visible.value(at: parent)
                {
                    throw .accessDenied
                }
            }
        }
        for path in kept {
            if let parent = Self.parents(of: path).first,
                let elements = old.value(at: parent)?.arrayValue
            {
                if elements.allSatisfy({ $0.objectValue == nil }) { continue }
                new.set(old.value(at: parent), at: parent)
            } else if let value = old.value(at: path) {
                new.set(value, at: path)
            }
        }
        if !reaches(.update, new) { throw .accessDenied }
        for path in unwritable(new) where !Self.isSame(path, new, old) { throw .accessDenied }
        if showsMore(of: new, than: old) { throw .accessDenied }
        return new
    }

    private func unwritable(_ document: Document) -> [String] {
        Array(Set(hidden(.update, document) + unreadable(document)))
    }

    /// What is hidden from reading in the document, or, where that can't be read, in whatever can be.
    private func unreadable(_ document: Document) -> [String] {
        if reaches(.read, document) { return hidden(.read, document) }
        let reading = (rules ?? []).filter { $0.operations.contains(.read) }
        if reading.isEmpty { return [] }
        return reading.flatMap(\.hiddenFields).filter { path in
            reading.allSatisfy { Self.isAtOrBelow(path, $0.hiddenFields) }
        }
    }

    private static func isAtOrBelow(_ path: String, _ hidden: [String]) -> Bool {
        hidden.contains { path == $0 || path.hasPrefix($0 + ".") }
    }

    /// Whether the change lets the principal read what it couldn't.
    private func showsMore(of new: Document, than old: Document) -> Bool {
        guard reaches(.read, new) else { return false }
        guard reaches(.read, old) else { return true }
        let hidden = hidden(.read, new)
        return self.hidden(.read, old).contains { !Self.isAtOrBelow($0, hidden) }
    }

    private static func parents(of path: String) -> [String] {
        let names = path.split(separator: ".")
        return names.indices.dropFirst().map { names[..<$0].joined(separator: ".") }
    }

    private static func isSame(_ path: String, _ new: Document, _ old: Document) -> Bool {
        if all(path, new).isEmpty, all(path, old).isEmpty { return true }
        let array = parents(of: path).first {
            new.value(at: $0)?.arrayValue != nil || old.value(at: $0)?.arrayValue != nil
        }
        // Of an array nobody could say which element is which.
        if let array { return new.value(at: array) == old.value(at: array) }
        return all(path, new) == all(path, old)
    }

    /// All that is at the path, through arrays too.
    private static func all(_ path: String, _ document: Document) -> [Value] {
        NaiveQuery.find(path, in: document).compactMap(\.value)
    }

    private static func has(_ path: String, _ document: Document) -> Bool {
        !all(path, document).isEmpty
    }
}
