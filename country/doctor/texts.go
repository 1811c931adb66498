package doctor

// say is a sentence in both languages; %[n]v are the finding's details.
type say struct{ ja, en string }

// words are what a finding says and what to do next; next is empty where nothing is to be done.
type words struct{ what, next say }

// texts has the words of every finding by its code.
var texts = map[string]words{
	// The folder.
	"folder":             {say{"データフォルダーは読めます（形式 %[1]v）", "the data folder can be read (format %[1]v)"}, say{}},
	"no-country":         {say{"%[1]v に国がありません", "there is no country in %[1]v"}, say{"jitsuin up --data %[1]v で作るか、--data で別のフォルダーを指定してください", "make one with jitsuin up --data %[1]v, or name another folder with --data"}},
	"folder-newer":       {say{"このフォルダーは新しいリリースのものです: %[1]v", "the folder is of a newer release: %[1]v"}, say{"そのリリースかそれ以降の jitsuin を使ってください", "use that release of jitsuin, or a later one"}},
	"facts-broken":       {say{"country.json が読めません: %[1]v", "country.json cannot be read: %[1]v"}, say{"バックアップからこのファイルを戻してください", "put the file back from a backup"}},
	"modes":              {say{"秘密のファイルは所有者だけが読めます（%[1]v 個）", "only the owner can read what is secret (%[1]v files)"}, say{}},
	"open-to-others":     {say{"他の利用者に開かれています（%[1]v）", "others on this machine may use it (%[1]v)"}, say{"chmod %[3]v %[2]v を実行し、誰が読んだかもしれないか考えてください", "chmod %[3]v %[2]v, and think about who may have read it"}},
	"part-unreadable":    {say{"フォルダーが読めません: %[1]v", "the folder cannot be read: %[1]v"}, say{"国を動かす利用者で実行しているか確かめてください", "see that you are the user who runs the country"}},
	"wall-clock":         {say{"この機械の時計は作成時より進んでいます（%[1]v）", "the machine's clock is past the making of the country (%[1]v)"}, say{}},
	"wall-clock-behind":  {say{"この機械の時計 %[2]v は国を作った時 %[1]v より前です", "the machine's clock says %[2]v, which is before the country was made, %[1]v"}, say{"時計を合わせてください（NTP）。署名や期限を誤ります", "set the clock (NTP): tokens and signatures would bear wrong times"}},
	"civil-time":         {say{"暦の時刻はどこでも同じです（実時間より %[1]v 先）", "civil time is the same everywhere (%[1]v ahead of wall time)"}, say{}},
	"civil-time-differs": {say{"暦の時刻が %[1]v 遅れています", "civil time is %[1]v behind the others here"}, say{"動かせば追いつきます。動いていて遅れ続けるなら時計のフィードを見てください", "it catches up when it runs; where it runs and stays behind, look at its feed clock of country:1"}},
	"civil-time-odd":     {say{"暦の時刻のずれ %[1]v はありえません", "civil time is %[1]v ahead of wall time, which cannot be right"}, say{"バックアップから戻すか、jitsuin up --reset で国を作り直してください", "restore a backup, or make the country anew with jitsuin up --reset"}},
	"disk":               {say{"ディスクの空きは %[1]v MiB です", "%[1]v MiB of the disk are free"}, say{}},
	"disk-low":           {say{"ディスクの空きが少なく、%[1]v MiB です", "only %[1]v MiB of the disk are free"}, say{"空きを作ってください。満杯になると署名も採番も止まります", "make room: a full disk stops signing and numbering"}},
	"disk-full":          {say{"ディスクの空きがほとんどなく、%[1]v MiB です", "the disk is as good as full: %[1]v MiB are free"}, say{"いますぐ空きを作ってください。フォルダーの中のものは消さないでください", "make room now, and remove nothing inside the folder"}},
	"space-unknown":      {say{"ディスクの空きがわかりません: %[1]v", "how much of the disk is free is not known: %[1]v"}, say{}},
	"running":            {say{"国は動いています", "the country runs"}, say{}},
	"not-running":        {say{"国は動いていません", "the country does not run"}, say{}},
	"locked-silent":      {say{"あるプロセスがこの国を開いていますが、誰も応答しません", "a process has the country open, and nobody answers"}, say{"起動の途中なら少し待ってください。続くならそのプロセスのログを見て、止めて、jitsuin up をやり直してください", "wait a moment if it is just starting; else read the log of that process, stop it, and run jitsuin up again"}},

	// Configuration, keys, directory.
	"config":              {say{"設定ファイル %[1]v は正しい形です", "its configuration %[1]v reads well"}, say{}},
	"config-missing":      {say{"%[1]v の設定ファイルがありません", "the configuration of %[1]v is missing"}, say{"バックアップから戻すか、jitsuin up を一度実行してください（足りないファイルを書きます）", "put it back from a backup, or run jitsuin up once, which writes what is missing"}},
	"config-broken":       {say{"設定ファイルが誤っています: %[1]v", "the configuration is wrong: %[1]v"}, say{"その行を直してください", "mend that line"}},
	"config-of-another":   {say{"%[2]v の設定のはずが、%[1]v の設定です", "this should configure %[2]v and configures %[1]v"}, say{"ファイルの名前か instance: を直してください", "mend the file's name or its instance:"}},
	"config-stranger":     {say{"この国にいないものの設定ファイルです", "this configures nobody who is in the country"}, say{"不要なら他の場所に移してください", "move it elsewhere if it is not needed"}},
	"secret-missing":      {say{"%[1]v に必要な秘密が読めません: %[2]v", "a secret that %[1]v needs cannot be read: %[2]v"}, say{"バックアップから戻してください。作り直すことはできません", "put it back from a backup; it cannot be made again"}},
	"identity":            {say{"鍵と名簿が合っています", "its key is the one in the directory"}, say{}},
	"key-missing":         {say{"%[1]v の秘密鍵がありません", "the private key of %[1]v is missing"}, say{"バックアップから戻してください。新しい鍵にするなら名簿の署名もやり直しです", "put it back from a backup; a new key needs a newly signed directory"}},
	"key-broken":          {say{"%[1]v の秘密鍵が読めません: %[2]v", "the private key of %[1]v cannot be read: %[2]v"}, say{"バックアップから戻してください", "put it back from a backup"}},
	"key-differs":         {say{"%[1]v の鍵は名簿にあるものと違います", "the key of %[1]v is not the one in the directory"}, say{"鍵か名簿のどちらかが古いものです。組になっているものをバックアップから戻してください", "either the key or the directory is an old one; put back the pair from a backup"}},
	"not-in-directory":    {say{"名簿 %[1]v に載っていません", "it is not in the directory %[1]v"}, say{"運営者に、名簿に加えて署名し直してもらってください", "have the operator add it and sign the directory again"}},
	"origin-differs":      {say{"名簿では %[1]v、設定では %[2]v です", "the directory has %[1]v for it, the configuration %[2]v"}, say{"前に代理サーバーを置いているならこのままで構いません。そうでなければどちらかを直してください", "this is right where a proxy stands before it; else mend one of the two"}},
	"pin-broken":          {say{"運営者の公開鍵が読めません: %[1]v", "the operator's public key cannot be read: %[1]v"}, say{"運営者から受け取り直してください", "get it from the operator again"}},
	"pin-differs":         {say{"これは運営者の鍵ではありません。名簿の署名を確かめられません", "this is not the operator's key, so the directory cannot be believed"}, say{"誰が置き換えたか調べ、バックアップから戻してください", "find out who replaced it, and put it back from a backup"}},
	"directory-signature": {say{"名簿が %[1]v の鍵で署名されていません", "the directory is not signed with the key in %[1]v"}, say{"名簿が書き換えられたか、鍵が別のものです。運営者から両方を受け取り直してください", "the directory was changed, or the key is another one; get both from the operator again"}},
	"directory-broken":    {say{"名簿が読めません: %[1]v", "the directory cannot be read: %[1]v"}, say{"運営者から受け取り直すか、バックアップから戻してください", "get it from the operator again, or put it back from a backup"}},

	// Restores.
	"restore-mark-broken": {say{"復元の印が読めません: %[1]v", "the mark of a restore cannot be read: %[1]v"}, say{"同じ jitsuin restore をもう一度実行してください", "run the same jitsuin restore again"}},
	"restore-unfinished":  {say{"復元の途中で止まっています", "it is half restored"}, say{"同じ jitsuin restore をもう一度実行してください。終わるまで起動しません", "run the same jitsuin restore again; it does not start before that is finished"}},
	"restore-catching-up": {say{"復元された後、まだ他のフィードを読み直していません", "it was restored and has not yet read the feeds of others again"}, say{"動かして待ってください。それまで古い記憶からは答えません", "have it run and wait; until then it does not answer from its old memory"}},

	// Databases.
	"database":             {say{"データベースに壊れたところはありません", "its database is sound"}, say{}},
	"database-new":         {say{"データベースはまだありません（初めての起動で作ります）", "it has no database yet; its first start makes one"}, say{}},
	"database-missing":     {say{"データベース %[1]v がありませんが、使われていた跡があります", "the database %[1]v is missing, and it was there before"}, say{"起動せず、バックアップから戻してください", "do not start it; restore it from a backup"}},
	"database-unreachable": {say{"データベースが読めません: %[1]v", "the database cannot be read: %[1]v"}, say{"データベースのサーバーか、ファイルの所有者を確かめてください", "look at the database server, or at who owns the file"}},
	"database-long":        {say{"データベースが大きく、%[1]v では調べ終わりませんでした", "the database is large and was not looked through within %[1]v"}, say{"静かな時に sqlite3 の PRAGMA integrity_check で調べてください", "look through it at a quiet time with PRAGMA integrity_check of sqlite3"}},
	"database-broken":      {say{"データベースが壊れています: %[1]v", "the database is broken: %[1]v"}, say{"止めて、%[2]v を別に保管し、バックアップから戻してください。ディスクも調べてください", "stop it, keep %[2]v aside, restore a backup, and look at the disk"}},
	"schema":               {say{"スキーマはこのプログラムのものです", "its schema is that of this program"}, say{}},
	"schema-newer":         {say{"スキーマが新しいリリースのものです（%[1]v は %[2]v、このプログラムは %[3]v まで）", "its schema is of a newer release (%[1]v is at %[2]v, this program knows %[3]v)"}, say{"そのリリースかそれ以降の jitsuin を使ってください", "use that release of jitsuin, or a later one"}},
	"schema-older":         {say{"スキーマが古いリリースのものです（次の起動で新しくなります）", "its schema is of an older release; the next start brings it up to date"}, say{"起動する前にバックアップを取ってください", "make a backup before you start it"}},
	"high-water":           {say{"送り出したものはデータベースにすべてあります", "the database has all that was given out from it"}, say{}},
	"high-water-missing":   {say{"最高水位のファイル %[1]v がありません。データベースの巻き戻りに気づけません", "the high-water file %[1]v is missing: a database that was rolled back would not be noticed"}, say{"データベースが最新だと確かめてから起動してください（ファイルは作り直されます）。戻したものなら jitsuin feed new-epoch を使ってください", "make sure that the database is the newest, then start it, which makes the file again; if it was restored, use jitsuin feed new-epoch"}},
	"high-water-broken":    {say{"最高水位のファイル %[1]v が読めません: %[2]v", "the high-water file %[1]v cannot be read: %[2]v"}, say{"誰かが書き換えました。バックアップの後のものなら戻し、そうでなければ jitsuin feed new-epoch を使ってください", "somebody changed it; put back what it was, or else use jitsuin feed new-epoch"}},
	"rolled-back":          {say{"データベースが、送り出したものより古くなっています: %[1]v", "the database is older than what was given out from it: %[1]v"}, say{"新しいデータベースを探してください。なければ jitsuin feed new-epoch（docs/runbooks/feed-rolled-back.md）", "look for the newer database; if there is none, jitsuin feed new-epoch (docs/runbooks/feed-rolled-back.md)"}},
	"parked":               {say{"%[2]v の %[3]v の出来事が %[1]v 件、適用できずに待っています", "%[1]v events of %[2]v (%[3]v) wait because they could not be applied"}, say{"jitsuin feed parked で理由を見てください（docs/runbooks/events-parked.md）", "see why with jitsuin feed parked (docs/runbooks/events-parked.md)"}},
	"journal":              {say{"署名の帳簿はデータベースと合っています", "its journal of signatures fits the database"}, say{}},
	"journal-ahead":        {say{"署名の帳簿がデータベースより先に進んでいます: %[1]v", "the journal of signatures is ahead of the database: %[1]v"}, say{"docs/runbooks/signing-stopped.md の通りに、どの署名か確かめてください", "find out which signatures, as docs/runbooks/signing-stopped.md says"}},
	"journal-behind":       {say{"署名の帳簿が古いか、失われています: %[1]v", "the journal of signatures is old, or was lost: %[1]v"}, say{"起動せず、署名鍵のフォルダーを戻してください。同じ番号が二度使われるおそれがあります", "do not start it; put the signer's folder back, or serial numbers could be given twice"}},
	"journal-differs":      {say{"署名の帳簿が別のデータベースのものです: %[1]v", "the journal of signatures is that of another database: %[1]v"}, say{"データベースと署名鍵のフォルダーを組で戻してください", "restore database and signer's folder as a pair"}},
	"journal-broken":       {say{"署名の帳簿が書き換えられています: %[1]v", "the journal of signatures was changed: %[1]v"}, say{"帳簿を手で直さず、バックアップの写しと比べてください", "do not mend it by hand; compare it with the copy in the backup"}},
	"sealed-keys":          {say{"鍵は合言葉で開きます", "its keys open with the passphrase"}, say{}},
	"signer-missing":       {say{"署名鍵か帳簿がありません: %[1]v", "the signer's keys or its journal are missing: %[1]v"}, say{"起動せず、署名鍵のフォルダーを戻してください。起動すると別の鍵が作られます", "do not start it, which would make other keys; put the signer's folder back"}},
	"signer-passphrase":    {say{"署名鍵がこの合言葉では開きません: %[1]v", "the signer's keys do not open with this passphrase: %[1]v"}, say{"鍵と同じ時のバックアップから合言葉を戻してください", "put the passphrase back from the backup that the keys are from"}},
	"signer-broken":        {say{"署名鍵か帳簿が読めません: %[1]v", "the signer's keys or its journal cannot be read: %[1]v"}, say{"ファイルの所有者を確かめ、必要ならバックアップから戻してください", "look at who owns the files, and put them back from a backup if need be"}},

	// Who runs.
	"ready":            {say{"%[1]v で動いていて、問題ありません", "it runs at %[1]v and is well"}, say{}},
	"not-ready":        {say{"動いていますが問題があります: %[1]v: %[2]v", "it runs and is in trouble: %[1]v: %[2]v"}, say{"docs/runbooks/not-ready.md を見てください", "see docs/runbooks/not-ready.md"}},
	"address-free":     {say{"アドレス %[1]v は空いています", "its address %[1]v is free"}, say{}},
	"address-taken":    {say{"アドレス %[1]v を別のプログラムが使っています", "another program has the address %[1]v"}, say{"それを止めるか（ss -ltnp で見つかります）、--listen で別の場所にしてください", "stop it (ss -ltnp finds it), or move with --listen"}},
	"address-unusable": {say{"アドレス %[1]v はこの機械で使えません", "the address %[1]v does not exist on this machine"}, say{"Linux では 127.0.84.N がそのまま使えます。他では jitsuin up --listen HOST:PORT を使ってください", "on Linux 127.0.84.N just works; elsewhere use jitsuin up --listen HOST:PORT"}},
	"address-foreign":  {say{"アドレス %[1]v で別のもの（別の国かもしれません）が応答します", "something else, perhaps another country, answers at %[1]v"}, say{"それを止めるか、--listen で別の場所にしてください", "stop it, or move with --listen"}},
	"address-silent":   {say{"アドレス %[1]v の様子がわかりません: %[2]v", "the address %[1]v does not say how it is: %[2]v"}, say{"そのプロセスのログを見て、必要なら起動し直してください", "read the log of that process, and start it again if need be"}},
	"tls":              {say{"カードでログインするポート %[1]v の証明書は %[2]v まで有効です", "the certificate of its port for logins by card, %[1]v, is good until %[2]v"}, say{}},
	"tls-soon":         {say{"カードでログインするポートの証明書は %[1]v に切れます", "the certificate of its port for logins by card ends on %[1]v"}, say{"新しい証明書をファイルに置いてください（起動し直さなくて構いません）。自分で作ったものなら、起動し直すと新しくなります", "put the next one into its files, without a restart; one of its own making is drawn anew at a start"}},
	"tls-over":         {say{"カードでログインするポートの証明書は有効期間内ではありません（%[1]v から %[2]v まで）", "the certificate of its port for logins by card is not within its time (%[1]v to %[2]v)"}, say{"新しい証明書をファイルに置いてください（起動し直さなくて構いません）。自分で作ったものなら、起動し直すと新しくなります", "put a new one into its files, without a restart; one of its own making is drawn anew at a start"}},
	"tls-name":         {say{"カードでログインするポートの証明書は %[1]v のものではありません", "the certificate of its port for logins by card is not one for %[1]v"}, say{"その名前の証明書を置くか、設定の tls_login.origin を直してください", "put one for that name there, or mend tls_login.origin in the configuration"}},
	"tls-broken":       {say{"%[1]v の証明書と秘密鍵が組になっていないか、読めません: %[2]v", "the certificate of %[1]v and its key do not belong together, or cannot be read: %[2]v"}, say{"組になっているものを置いてください", "put a pair there"}},
	"tls-silent":       {say{"カードでログインするポート %[1]v が応答しません: %[2]v", "its port for logins by card, %[1]v, does not answer: %[2]v"}, say{"docs/tls-login.md を見てください。間に TLS を終わらせるものを置かないでください", "see docs/tls-login.md; nothing that ends TLS may stand before it"}},
	"metrics":          {say{"数値は %[1]v で見られます", "its figures can be read at %[1]v"}, say{}},
	"metrics-none":     {say{"数値を見せる場所（metrics:）がありません。警報は出ません", "it shows its figures nowhere (no metrics:), so no alert can fire"}, say{"設定に metrics: HOST:PORT を加えてください", "add metrics: HOST:PORT to its configuration"}},
	"metrics-silent":   {say{"数値が %[1]v で見られません: %[2]v", "its figures cannot be read at %[1]v: %[2]v"}, say{"設定を変えた後なら起動し直してください", "start it again if the configuration was changed"}},
	"metrics-foreign":  {say{"%[1]v に見えるのは別のものの数値です", "what %[1]v shows are the figures of somebody else"}, say{"metrics: のアドレスが重なっていないか確かめてください", "see that no two have the same metrics: address"}},
}
