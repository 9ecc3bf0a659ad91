:: core :: compile_error ! { "expected a type behind `->`" } pub async fn find (& self , email : & str) -> { self . users }
