struct PostRecord { static func make(in world: EngineWorld) async throws -> PostRecord { PostRecord() } }
