import Bytes
import Digests
import JSON
import Metadata
import Search
import TestSupport
import Testing
import Threads

@testable import HTTPServer
@testable import ObjectGateway

@Suite struct AssetRoutesTests {
    /// A store with the assets of two customers, and the routes over it.
    private final class Scene {
        let fixture: StoreFixture
        let store: OpenStore
        let table: RouteTable

        init() async throws {
            fixture = try StoreFixture()
            store = try await fixture.open()
            let routes = store.assetRoutes(publicURL: "http://s3")
            table = RouteTable(
                routes.routes, log: fixture.log, authenticator: ServicesAuthenticator(users: store.users))
            for (name, policy, customer) in [
                ("anna", .readonly, "acme"), ("otto", .readwrite, "other"), ("boss", .admin, nil),
                ("drop", .writeonly, "acme"), ("away", .readonly, "acme"),
            ] as [(String, CannedPolicy, String?)] {
                _ = try await store.users.add(
                    name: name, accessKey: Array("\(name)-key".utf8), secret: Array("\(name)-secret".utf8),
                    policy: policy, customer: customer)
            }
            _ = try await store.users.setDisabled(true, name: "away")
            let name = try #require(BucketName("image-assets".utf8))
            let bucket = try await store.metadata.createBucket(named: name, owner: "boss", at: .now())
            try await store.metadata.setVersioning(.enabled, of: bucket.id)
            store.search.start()
            for (key, owner) in [
                ("acme/brand/Red car.png", "anna"), ("acme/blue car.png", "anna"), ("other/car.mp4", "otto"),
            ] {
                var attributes = ObjectAttributes()
                attributes.userMetadata = [UserMetadata(name: Array("camera".utf8), value: Array("X1".utf8))]
                _ = try await store.metadata.publish(
                    NewVersion(
                        bucket: bucket.id, key: try #require(ObjectKey(key.utf8)), owner: owner, size: 1_500_000,
                        etag: ETag(md5: [UInt8](repeating: 1, count: 16)), attributes: attributes, checksum: nil,
                        tags: [Tag(key: Array("fast".utf8), value: [])], content: .empty))
            }
            await store.search.settle()
        }

        func get(
            _ target: String, as user: String? = "anna", fields: [(String, String)]? = nil
        ) async throws -> Response {
            let credentials = user.map { [("x-api-key", "\($0)-key:\($0)-secret")] } ?? []
            let head = try #require(
                RequestHead.make(
                    method: "GET", target: Array(target.utf8),
                    fields: ([("host", "h")] + (fields ?? credentials)).map {
                        (name: Array($0.0.utf8), value: Array($0.1.utf8))
                    }, body: .length(0)))
            let request = Request(
                head: head, body: RequestBody(bytes: []),
                connection: ConnectionInfo(peerAddress: "127.0.0.1", peerPort: 50_000, isTLS: false), received: .now())
            return await table.handle(request).response
        }

        func names(_ target: String, as user: String = "anna") async throws -> [String] {
            let answer = try await get(target, as: user)
            #expect(answer.status == 200)
            return try #require(answer.json?["assets"]?.array).compactMap { $0["name"]?.string }
        }
    }

    @Test func `a user finds the assets of the own customer, an admin those of all`() async throws {
        let scene = try await Scene()
        #expect(try await Set(scene.names("/api/assets/search?q=car")) == ["Red car.png", "blue car.png"])
        #expect(try await scene.names("/api/assets/search?q=car", as: "otto") == ["car.mp4"])
        #expect(try await scene.names("/api/assets/search?q=car", as: "boss").count == 3)
        #expect(try await scene.names("/api/assets/search?q=car&customer=other", as: "boss") == ["car.mp4"])
        #expect(try await scene.get("/api/assets/search?customer=other").status == 403)
        #expect(try await scene.names("/api/assets/search?q=car&customer=acme").count == 2)
        await scene.store.close()
    }

    @Test func `credentials are wanted, and only right ones of users who may read`() async throws {
        let scene = try await Scene()
        let refused = try await scene.get("/api/assets/search", as: nil)
        #expect(refused.status == 401 && refused.field("www-authenticate")?.hasPrefix("Basic ") == true)
        for (name, value) in [
            ("x-api-key", "anna-key:wrong"), ("x-api-key", "anna-key"), ("x-api-key", ""), ("x-api-key", "nobody:x"),
            ("authorization", "Basic !"), ("authorization", "Bearer x"),
        ] {
            #expect(
                try await scene.get("/api/assets/search", fields: [(name, value)]).status == 401, "\(name): \(value)")
        }
        let basic = Base64.string(Array("anna-key:anna-secret".utf8))
        #expect(try await scene.get("/api/assets/search", fields: [("authorization", "Basic \(basic)")]).status == 200)
        #expect(try await scene.get("/api/assets/search", as: "drop").status == 403)
        #expect(try await scene.get("/api/assets/search", as: "away").status == 403)
        await scene.store.close()
    }

    @Test func `what is wrong with a search is a problem that names the field`() async throws {
        let scene = try await Scene()
        let answer = try await scene.get("/api/assets/search?q=red+size:huge&limit=0&sort=taste&facets=type,x&cursor=y")
        #expect(answer.status == 422 && answer.field("content-type") == "application/problem+json")
        let errors = try #require(answer.json?["errors"]?.array)
        #expect(errors.compactMap { $0["field"]?.string } == ["q", "sort", "limit", "facets", "cursor"])
        #expect(errors[0]["position"]?.integer == 10)
        #expect(errors[0]["wanted"]?.string?.hasPrefix("a size") == true)
        #expect(answer.json?["detail"]?.string?.contains("q at position 10: wanted a size") == true)
        #expect(try await scene.get("/api/assets/search?q=%zz").status == 400)
        await scene.store.close()
    }

    @Test func `pages follow each other by cursor, which fits one search only`() async throws {
        let scene = try await Scene()
        let first = try await scene.get("/api/assets/search?q=car&limit=1&sort=name")
        let cursor = try #require(first.json?["next_cursor"]?.string)
        #expect(first.json?["assets"]?.array?.first?["name"]?.string == "blue car.png")
        let second = try await scene.get("/api/assets/search?q=car&limit=1&sort=name&cursor=\(cursor)")
        #expect(second.json?["assets"]?.array?.first?["name"]?.string == "Red car.png")
        #expect(second.json?["next_cursor"] == .null)
        #expect(try await scene.get("/api/assets/search?q=red&sort=name&cursor=\(cursor)").status == 422)
        #expect(try await scene.get("/api/assets/search?q=car&sort=size&cursor=\(cursor)").status == 422)
        await scene.store.close()
    }

    @Test func `an answer has the document, the total and facets`() async throws {
        let scene = try await Scene()
        let answer = try await scene.get("/api/assets/search?q=red&facets=type,tag,folder")
        let asset = try #require(answer.json?["assets"]?.array?.first)
        #expect(asset["type"]?.string == "image" && asset["size"]?.integer == 1_500_000)
        #expect(asset["customer_id"]?.string == "acme" && asset["user_id"]?.string == "anna")
        #expect(asset["storage"]?["url"]?.string == "http://s3/image-assets/acme/brand/Red%20car.png")
        #expect(asset["metadata"]?["folder"]?.string == "brand" && asset["deleted_at"] == .null)
        #expect(asset["metadata"]?["custom"]?["camera"]?.string == "X1")
        #expect(asset["metadata"]?["tags"]?.array == ["fast"] && asset["versions"] == nil)
        #expect(answer.json?["total"]?["value"]?.integer == 1)
        #expect(answer.json?["total"]?["is_capped"]?.bool == false)
        #expect(answer.json?["facets"]?["folder"]?.array?.first?["value"]?.string == "brand")
        await scene.store.close()
    }

    @Test func `an asset is shown with its versions, to its customer only`() async throws {
        let scene = try await Scene()
        let found = try await scene.get("/api/assets/search?q=red")
        let id = try #require(found.json?["assets"]?.array?.first?["asset_id"]?.string)
        let shown = try await scene.get("/api/assets/\(id)")
        #expect(shown.status == 200 && shown.json?["asset_id"]?.string == id)
        #expect(shown.json?["versions"]?.array?.first?["version"]?.integer == 1)
        #expect(try await scene.get("/api/assets/\(id)", as: "boss").status == 200)
        #expect(try await scene.get("/api/assets/\(id)", as: "otto").status == 404)
        #expect(try await scene.get("/api/assets/nonsense").status == 404)
        await scene.store.close()
    }

    @Test func `an asset is found by the text of its document, by its tags within, and by its length and width`()
        async throws
    {
        let scene = try await Scene()
        let found = try await scene.get("/api/assets/search?q=car.mp4", as: "boss")
        let text = try #require(found.json?["assets"]?.array?.first?["asset_id"]?.string)
        let id = try #require(AssetID(text.utf8))
        var findings = AssetFindings()
        (findings.duration, findings.width, findings.height) = (61_000, 1920, 1080)
        findings.media = Array(#"{"pages": 3}"#.utf8)
        // More words than search keeps of one text.
        findings.text = Array(((0..<900).map { "word\($0)" } + ["zeppelin"]).joined(separator: " ").utf8)
        try await scene.store.metadata.setAssetDetails(AssetDetails().with(findings), of: id)
        await scene.store.search.settle()
        for query in ["zeppelin", "word700", "duration:%3E60s", "width:%3E%3D1920", "zeppelin+duration:%3E60s"] {
            #expect(try await scene.names("/api/assets/search?q=\(query)", as: "otto") == ["car.mp4"], "\(query)")
        }
        let shown = try await scene.get("/api/assets/\(text)", as: "otto")
        #expect(shown.json?["media"]?["pages"]?.integer == 3 && shown.json?["duration"]?.number == 61)
        #expect(shown.json?["variants"] == .array([]))
        await scene.store.close()
    }

    @Test func `a focal point is set by those who may write, and taken back`() async throws {
        let scene = try await Scene()
        let found = try await scene.get("/api/assets/search?q=car.mp4", as: "boss")
        let id = try #require(found.json?["assets"]?.array?.first?["asset_id"]?.string)
        #expect(found.json?["assets"]?.array?.first?["focal_point"] == .null)
        func send(_ method: String, _ body: String, as user: String = "otto") async throws -> Response {
            let fields = [("host", "h"), ("x-api-key", "\(user)-key:\(user)-secret")]
            let request = try plainRequest(method, "/api/assets/\(id)/focal-point", body: body, fields: fields)
            return await scene.table.handle(request).response
        }
        let set = try await send("PUT", #"{"x": 0.25, "y": 1}"#)
        #expect(set.status == 200 && set.json?["focal_point"]?["x"]?.number == 0.25)
        let wrong = try await send("PUT", #"{"x": 1.5, "y": 0}"#)
        #expect(wrong.status == 422 && wrong.json?["errors"]?.array?.first?["field"]?.string == "x")
        #expect(try await send("PUT", #"{"x": 0}"#).status == 422)
        #expect(try await send("PUT", #"{"x": 0, "y": 0}"#, as: "anna").status == 403)
        #expect(try await scene.get("/api/assets/\(id)", as: "otto").json?["focal_point"]?["y"]?.number == 1)
        #expect(try await send("DELETE", "").json?["focal_point"] == .null)
        await scene.store.close()
    }
}
