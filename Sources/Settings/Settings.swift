import Yams
let probe = Yams.Node("x")
