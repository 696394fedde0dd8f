package engine

import "strings"

// texts are the sentences of refusals and problems, by code; {name} stands for a parameter, and in English for name_en when
// there is one. A test checks that every code the package uses is here, in both languages.
var texts = map[string]Text{
	// the request itself
	"input_unknown":      {IT: "Questa azione non chiede il dato «{input}».", EN: "This action does not ask for “{input}”."},
	"input_required":     {IT: "{label}: è obbligatorio.", EN: "{label}: required."},
	"row_expected":       {IT: "Qui va una riga con le sue colonne.", EN: "A row with its columns is expected."},
	"rows_expected":      {IT: "Qui va un elenco di righe.", EN: "A list of rows is expected."},
	"row_unknown":        {IT: "La riga indicata non esiste.", EN: "There is no such row."},
	"choice_missing":     {IT: "Scegli dove deve andare.", EN: "Choose where it must go."},
	"choice_unknown":     {IT: "Il valore scelto non è tra quelli possibili.", EN: "The value chosen is not among the possible ones."},
	"effective_future":   {IT: "La data di effetto non può essere nel futuro.", EN: "The effective date cannot be in the future."},
	"event_unknown":      {IT: "L'azione «{event}» non esiste in questo flusso.", EN: "There is no action “{event}” in this workflow."},
	"opening_unclear":    {IT: "Questo flusso si apre in più modi: indica quale.", EN: "This workflow opens in several ways: say which."},
	"workflow_unknown":   {IT: "Il flusso «{workflow}» non esiste.", EN: "There is no workflow “{workflow}”."},
	"body_unclear":       {IT: "Indica per quale ente apri la pratica.", EN: "Say for which body the case is."},
	"body_unknown":       {IT: "L'ente indicato non esiste o non è tra i tuoi.", EN: "There is no such body, or it is not yours."},
	"reason_required":    {IT: "Per procedere nonostante l'avviso serve un motivo.", EN: "A reason is needed to go on in spite of the warning."},
	"document_unknown":   {IT: "Il tipo di documento «{type}» non è previsto qui.", EN: "The document type “{type}” is not expected here."},
	"file_name":          {IT: "Il file non ha un nome.", EN: "The file has no name."},
	"file_empty":         {IT: "Il file è vuoto.", EN: "The file is empty."},
	"file_too_large":     {IT: "Il file supera il massimo di {max}.", EN: "The file is larger than {max}."},
	"sort_unknown":       {IT: "Ordinamento sconosciuto: {sort}.", EN: "Unknown order: {sort}."},
	"limit_range":        {IT: "Il numero di righe per pagina va da 1 a {max}.", EN: "The page size goes from 1 to {max}."},
	"cursor":             {IT: "Il segno di pagina non è valido: ricomincia dalla prima pagina.", EN: "The page cursor is not valid: start from the first page."},
	"after_beyond":       {IT: "La sequenza degli eventi arriva al n. {last}: un numero più alto viene da un'altra base dati, o da una copia più recente di questa.", EN: "The sequence of events ends at no. {last}: a higher number comes from another database, or from a later copy of this one."},
	"sua_choose":         {IT: "Indica di quale SUA.", EN: "Say of which SUA."},
	"day_unknown":        {IT: "Serve un giorno che esiste, come 2026-06-30.", EN: "A day that exists is needed, such as 2026-06-30."},
	"span_backward":      {IT: "Il giorno finale viene prima di quello iniziale.", EN: "The last day comes before the first."},
	"kpi_empty":          {IT: "Nessun lotto ha entrambe le date: non c'è media.", EN: "No lot has both dates: there is no mean."},
	"kpi_partial":        {IT: "Media di {mean} giorni sui soli lotti visibili o scelti ({lots}): non è il dato della SUA e non si giudica.", EN: "A mean of {mean} days over the lots seen or chosen only ({lots}): it is not the SUA's figure and is not judged."},
	"kpi_no_law":         {IT: "Media di {mean} giorni (lotti: {lots}); per quel periodo la legge non fissa soglie.", EN: "A mean of {mean} days (lots: {lots}); for that period the law sets no limits."},
	"kpi_premium":        {IT: "Media di {mean} giorni (lotti: {lots}), entro {upto}: la SUA ha la premialità.", EN: "A mean of {mean} days (lots: {lots}), within {upto}: the SUA earns the premium."},
	"kpi_middle":         {IT: "Media di {mean} giorni (lotti: {lots}), oltre {upto} ma non oltre {over}: né premialità né piano.", EN: "A mean of {mean} days (lots: {lots}), above {upto} but not above {over}: neither premium nor plan."},
	"kpi_plan":           {IT: "Media di {mean} giorni (lotti: {lots}), oltre {over}: la SUA deve inviare all'ANAC un piano di riorganizzazione.", EN: "A mean of {mean} days (lots: {lots}), above {over}: the SUA must send ANAC a plan of reorganisation."},
	"kpi_premium_so_far": {IT: "Finora media di {mean} giorni (lotti: {lots}), entro {upto}: a semestre chiuso darebbe la premialità.", EN: "So far a mean of {mean} days (lots: {lots}), within {upto}: at the end of the period it would earn the premium."},
	"kpi_middle_so_far":  {IT: "Finora media di {mean} giorni (lotti: {lots}), oltre {upto} ma non oltre {over}: né premialità né piano.", EN: "So far a mean of {mean} days (lots: {lots}), above {upto} but not above {over}: neither premium nor plan."},
	"kpi_plan_so_far":    {IT: "Finora media di {mean} giorni (lotti: {lots}), oltre {over}: a semestre chiuso chiederebbe un piano di riorganizzazione all'ANAC.", EN: "So far a mean of {mean} days (lots: {lots}), above {over}: at the end of the period it would ask for a plan of reorganisation to ANAC."},
	"erase_reason":       {IT: "Serve il motivo della cancellazione: resta nella storia.", EN: "The reason of the erasure is needed: it stays in the history."},
	"person_in_charge":   {IT: "È ancora RUP o istruttore di {n} pratiche in corso: prima vanno affidate ad altri.", EN: "Still RUP or officer of {n} open cases: assign them to others first."},
	"checkpoint_unknown": {IT: "Il registro non ha firmato alcun checkpoint con quel numero di eventi.", EN: "The log has signed no checkpoint with that number of events."},
	"instant_future":     {IT: "L'istante chiesto è nel futuro.", EN: "The instant asked for is in the future."},
	"instant_before":     {IT: "In quel momento la pratica non c'era ancora: comincia il {day}.", EN: "The case was not there yet: it begins on {day}."},
	"address_wrong":      {IT: "Serve un solo indirizzo, come nome@ente.it.", EN: "A single address is needed, such as name@body.it."},
	"hour_wrong":         {IT: "L'ora va da 0 a 23.", EN: "The hour goes from 0 to 23."},
	"webhook_address":    {IT: "Serve un indirizzo https:// completo, senza credenziali.", EN: "A whole https:// address without credentials is needed."},
	"webhook_private":    {IT: "L'indirizzo non è pubblico: non si può usare.", EN: "The address is not public: it cannot be used."},
	"filter_unreadable":  {IT: "Il filtro non è leggibile.", EN: "The filter cannot be read."},

	"not_yet":        {IT: "Non è ancora possibile.", EN: "Not possible yet."},
	"secret_warning": {IT: "Un controllo su dati per ora riservati segnala qualcosa: che cosa, lo legge chi può vederli.", EN: "A check on data that are secret for now reports something: who may see them reads what."},

	// who and where
	"event_not_here":  {IT: "«{event}» non è possibile nello stato «{state}».", EN: "“{event}” is not possible in the state “{state}”."},
	"event_later":     {IT: "«{event}» non è possibile in «{state}», ma in {states}: prima serve «{next}» ({who}).", EN: "“{event}” is not possible in “{state}” but in {states}: first comes “{next}” ({who})."},
	"event_elsewhere": {IT: "«{event}» non è possibile in «{state}», ma solo in {states}.", EN: "“{event}” is not possible in “{state}” but only in {states}."},
	"by_itself":       {IT: "avviene da sé", EN: "it happens by itself"},
	"role_missing":    {IT: "Spetta a: {roles}.", EN: "It is up to: {roles}."},
	"role_system":     {IT: "Avviene da sé, quando è il momento.", EN: "It happens by itself, when the time comes."},
	"role_upload":     {IT: "Con il tuo ruolo non si caricano documenti in questa pratica.", EN: "Your role does not upload documents to this case."},
	"case_ended":      {IT: "La pratica è conclusa.", EN: "The case has ended."},
	"no_way_on":       {IT: "Nessuna delle condizioni per proseguire è soddisfatta.", EN: "None of the conditions to go on is met."},
	"no_previous":     {IT: "Non c'è uno stato precedente a cui tornare.", EN: "There is no previous state to go back to."},
	"children_open":   {IT: "Non si può concludere: in «{children}» c'è una pratica ancora nello stato «{state}».", EN: "It cannot end: under “{children}” a case is still in the state “{state}”."},
	"guard_params":    {IT: "Il flusso ha un parametro illeggibile: avvisa l'amministratore.", EN: "The workflow has an unreadable parameter: tell the administrator."},
	"two_people":      {IT: "La rettifica spetta a una persona diversa da chi ha compiuto l'atto.", EN: "Somebody other than who did it must rectify."},
	"parent_ended":    {IT: "La procedura superiore è conclusa.", EN: "The parent case has ended."},

	// guards
	"document_missing":      {IT: "Manca il documento: {document}.", EN: "Missing document: {document}."},
	"fields_empty":          {IT: "Da compilare: {fields}.", EN: "To fill in: {fields}."},
	"field_empty":           {IT: "{field}: manca.", EN: "{field}: missing."},
	"field_too_early":       {IT: "{field}: non prima di {minimum} (termine minimo {term}).", EN: "{field}: not before {minimum} (minimum term {term})."},
	"field_too_late":        {IT: "{field}: non dopo {maximum} (termine massimo {term}).", EN: "{field}: not after {maximum} (maximum term {term})."},
	"field_not_before":      {IT: "{field} deve precedere {other}.", EN: "{field} must precede {other}."},
	"field_moves_little":    {IT: "{field}: per recuperare il tempo perso, non prima di {when}.", EN: "{field}: to make up for the time lost, not before {when}."},
	"given_late":            {IT: "{field}: non dopo: {other} ({when}).", EN: "{field}: not after: {other} ({when})."},
	"field_other":           {IT: "{field}: deve essere «{value}».", EN: "{field}: must be “{value}”."},
	"field_same":            {IT: "{field}: non deve essere «{value}».", EN: "{field}: must not be “{value}”."},
	"day_off":               {IT: "{field}: {day} non è un giorno lavorativo ({why}).", EN: "{field}: {day} is not a working day ({why})."},
	"effective_early":       {IT: "Non può avere effetto prima di: {field} ({when}).", EN: "It cannot take effect before: {field} ({when})."},
	"effective_not_after":   {IT: "Deve avere effetto dopo: {field} ({when}).", EN: "It must take effect after: {field} ({when})."},
	"parent_missing":        {IT: "La pratica non ha una procedura superiore.", EN: "The case has no parent case."},
	"state_elsewhere":       {IT: "La pratica è nello stato «{state}».", EN: "The case is in the state “{state}”."},
	"parent_elsewhere":      {IT: "La procedura superiore è nello stato «{state}».", EN: "The parent case is in the state “{state}”."},
	"parent_fields_empty":   {IT: "Da compilare nella procedura superiore: {fields}.", EN: "To fill in in the parent case: {fields}."},
	"field_not_later":       {IT: "{field}: la nuova data deve essere successiva a quella attuale.", EN: "{field}: the new date must be later than the present one."},
	"amount_beyond":         {IT: "{field}: oltre il limite di {limit}.", EN: "{field}: beyond the limit of {limit}."},
	"share_beyond":          {IT: "{what}: {amount} € sono oltre il {limit} di: {field}.", EN: "{what}: {amount} € are beyond {limit} of: {field}."},
	"amount_unknown":        {IT: "Manca l'importo.", EN: "The value is missing."},
	"not_happened":          {IT: "Prima deve avvenire: {event}.", EN: "First must happen: {event}."},
	"happened_already":      {IT: "È già avvenuto: {event}.", EN: "It has happened already: {event}."},
	"too_soon":              {IT: "Il termine corre fino a {day}.", EN: "The term runs until {day}."},
	"too_late":              {IT: "Il termine è scaduto {day}.", EN: "The term ended on {day}."},
	"rows_unfilled":         {IT: "{register}: la colonna «{column}» non è compilata in tutte le righe.", EN: "{register}: the column “{column}” is not filled in every row."},
	"rows_missing":          {IT: "{register}: serve almeno una riga.", EN: "{register}: at least one row is needed."},
	"rows_present":          {IT: "{register}: ci sono righe che lo impediscono.", EN: "{register}: some rows prevent it."},
	"rows_too_few":          {IT: "{register}: servono almeno {minimum} righe.", EN: "{register}: at least {minimum} rows are needed."},
	"rows_too_many":         {IT: "{register}: al massimo {maximum} righe.", EN: "{register}: at most {maximum} rows."},
	"row_late":              {IT: "{register}, {row}: {column} {late} è oltre {field} ({when}).", EN: "{register}, {row}: {column} {late} is after {field} ({when})."},
	"rows_even":             {IT: "{register}: il numero deve essere dispari.", EN: "{register}: the number must be odd."},
	"rows_sum":              {IT: "{register}: la somma non corrisponde a {field}.", EN: "{register}: the sum differs from {field}."},
	"children_missing":      {IT: "{children}: ne serve almeno una.", EN: "{children}: at least one is needed."},
	"children_going_on":     {IT: "{children}: non tutte sono concluse.", EN: "{children}: not all have ended."},
	"children_elsewhere":    {IT: "{children}: non tutte sono nello stato richiesto.", EN: "{children}: not all stand where they should."},
	"children_there":        {IT: "{children}: una di queste lo impedisce.", EN: "{children}: one of them prevents it."},
	"children_none_there":   {IT: "{children}: nessuna è nello stato richiesto.", EN: "{children}: none stands where it should."},
	"children_fields_empty": {IT: "{children}: manca {field}.", EN: "{children}: {field} is missing."},
	"same_person":           {IT: "Serve una persona diversa da chi ha compiuto «{event}».", EN: "A person other than who did “{event}” is needed."},
	"limit_missing":         {IT: "Nessun valore di legge per «{key}» al {day}.", EN: "No value of the law for “{key}” on {day}."},
	"term_uncountable":      {IT: "Il termine «{key}» non si può contare.", EN: "The term “{key}” cannot be counted."},
	"agreement_missing":     {IT: "Il Comune non ha una convenzione con la SUA.", EN: "The body has no agreement with the SUA."},
	"agreement_inactive":    {IT: "La convenzione non è in vigore (dal {from} al {to}).", EN: "The agreement is not in force (from {from} to {to})."},
	"not_qualified":         {IT: "La SUA, di livello {level}, è qualificata fino a {limit}.", EN: "The SUA, level {level}, is qualified up to {limit}."},
	"below_threshold":       {IT: "L'importo è sotto la soglia europea ({threshold}).", EN: "The value is below the EU threshold ({threshold})."},
	"above_threshold":       {IT: "L'importo raggiunge la soglia europea ({threshold}).", EN: "The value reaches the EU threshold ({threshold})."},
	"not_best_value":        {IT: "Il criterio non è l'OEPV.", EN: "The criterion is not best value."},
	"not_lowest_price":      {IT: "Il criterio non è il minor prezzo.", EN: "The criterion is not lowest price."},
	"no_inversion":          {IT: "Non è prevista l'inversione procedimentale.", EN: "Offers do not come before admission here."},
	"inversion":             {IT: "Qui si esaminano prima le offerte (inversione procedimentale).", EN: "Here offers come before admission."},
	"prior_notice_day":      {IT: "L'avviso di preinformazione va inviato almeno {least} e al più {most} prima del bando: vale dal {first} al {last}.", EN: "The prior notice must be sent at least {least} and at most {most} before the notice: it is good from {first} to {last}."},
	"bids_left":             {IT: "C'è almeno un'offerta ancora in gara.", EN: "At least one bid is still in the race."},
	"price_missing":         {IT: "Di {operator} manca il prezzo o il punteggio totale.", EN: "The price or the total score of {operator} is missing."},
	"rank_missing":          {IT: "La graduatoria non c'è ancora.", EN: "There is no ranking yet."},
	"rank_tied":             {IT: "Due offerte sono prime a pari merito: serve il sorteggio.", EN: "Two bids are first together: a draw is needed."},
	"first_not_admitted":    {IT: "La prima in graduatoria, {operator}, non è ancora ammessa: va verificata la sua documentazione.", EN: "The first of the ranking, {operator}, is not admitted yet: its papers must be checked."},
	"winner_not_first":      {IT: "La prima in graduatoria è {operator}.", EN: "The first of the ranking is {operator}."},
	"single_offer":          {IT: "È stata presentata o ammessa una sola offerta.", EN: "Only one offer was made or admitted."},
	"court_stay":            {IT: "È pendente una domanda cautelare o il giudice ha sospeso gli atti.", EN: "A precautionary claim is pending or the court has stayed the acts."},
	"exclusion_kind":        {IT: "L'esclusione automatica vale solo per lavori e servizi.", EN: "Automatic exclusion is for works and services only."},
	"cross_border":          {IT: "L'appalto ha un interesse transfrontaliero certo.", EN: "The contract is of certain cross-border interest."},
	"offers_too_few":        {IT: "Le offerte ammesse sono {admitted}: ne servono almeno {minimum}.", EN: "{admitted} bids are admitted: at least {minimum} are needed."},
	"price_points_high":     {IT: "Al prezzo vanno {points} punti: con alta intensità di manodopera al massimo {maximum} del totale.", EN: "The price has {points} points: with labour-intensive contracts at most {maximum} of the total."},
	"points_sum":            {IT: "I punti tecnici e del prezzo fanno {sum}, non {total}.", EN: "The points of technique and price make {sum}, not {total}."},
	"guarantee_missing":     {IT: "{operator}: manca la garanzia provvisoria.", EN: "{operator}: the provisional guarantee is missing."},
	"declaration_early":     {IT: "Commissione, componente {row}: la dichiarazione è del {day}, prima del termine delle offerte ({when}).", EN: "Committee, member {row}: the declaration is of {day}, before the bids were due ({when})."},
	"requirements_missing":  {IT: "Nessuna verifica sull'appaltatore, né sul contratto né sul lotto.", EN: "No check on the contractor, neither on the contract nor on the lot."},
	"antimafia_missing":     {IT: "Manca la verifica antimafia, sul contratto o sul lotto.", EN: "The antimafia check is missing, on the contract or on the lot."},
	"guarantee_low":         {IT: "La garanzia di {amount} € è sotto il {rate} del contratto ({least} €), salvo riduzioni di legge.", EN: "The guarantee of {amount} € is below {rate} of the contract ({least} €), reductions by law aside."},
	"requirement_open":      {IT: "{children}: {certificate} è nello stato «{state}».", EN: "{children}: {certificate} is in the state “{state}”."},
	"fvoe_works":            {IT: "Non è registrato un malfunzionamento del FVOE.", EN: "No malfunction of the FVOE is recorded."},
	"contract_early":        {IT: "Il contratto si può firmare dal {day}.", EN: "The contract may be signed from {day}."},
	"duties_open":           {IT: "Prima di chiudere restano: {duties}.", EN: "Before closing there remain: {duties}."},
	"quadro_economico_sum":  {IT: "Il quadro economico somma {sum}, il totale dichiarato è {total}.", EN: "The breakdown adds up to {sum}, the declared total is {total}."},
	"cui_missing":           {IT: "Da {limit} in su serve il CUI, oppure spiega perché l'intervento non è nel programma.", EN: "From {limit} on a programme code is needed, or the reason why there is none."},
	"documents_incomplete":  {IT: "Mancano documenti previsti: {documents}.", EN: "Expected documents are missing: {documents}."},

	// terms
	"text_required":             {IT: "È obbligatorio.", EN: "Required."},
	"text_wrong":                {IT: "Serve un testo leggibile, di non più di {max} caratteri.", EN: "A readable text is needed, of {max} characters at most."},
	"to_or_days":                {IT: "Indica la nuova fine oppure i giorni in più: uno dei due.", EN: "Give the new end or the days more: one of the two."},
	"to_unreadable":             {IT: "Serve un giorno come 2026-06-30, o un istante con il fuso come 2026-06-30T12:00:00+02:00.", EN: "A day such as 2026-06-30 is needed, or an instant with its zone such as 2026-06-30T12:00:00+02:00."},
	"to_whole_day":              {IT: "Questo termine finisce con il giorno: non ha un'ora.", EN: "This term ends with the day: it has no hour."},
	"days_range":                {IT: "Serve un numero di giorni, da 1 in su, che si possa contare.", EN: "A number of days that can be counted, from 1 on, is needed."},
	"at_early":                  {IT: "Non può essere prima del {day}, quando è cominciato.", EN: "It cannot be before {day}, when it began."},
	"document_elsewhere":        {IT: "Il documento non è tra quelli della pratica.", EN: "The document is not among those of the case."},
	"deadline_ended":            {IT: "Il termine è concluso: non si cambia più.", EN: "The term has ended: it changes no more."},
	"deadline_follows":          {IT: "Il termine segue una data della procedura superiore: si sposta con quella.", EN: "The term follows a date of the parent case: it moves with that."},
	"deadline_backward":         {IT: "Il termine si conta a ritroso da un'altra data: si sposta con quella.", EN: "The term is counted back from another date: it moves with that."},
	"deadline_suspended":        {IT: "Il termine è sospeso: prima va ripreso.", EN: "The term is suspended: it must be resumed first."},
	"deadline_over":             {IT: "Il termine è già compiuto: non si può più sospendere.", EN: "The term is over: it cannot be suspended any more."},
	"deadline_runs":             {IT: "Il termine non è sospeso.", EN: "The term is not suspended."},
	"deadline_passed":           {IT: "La nuova fine ({day}) è già passata: la proroga è più corta del tempo trascorso.", EN: "The new end ({day}) has gone by: the extension is shorter than the time that has passed."},
	"deadline_same":             {IT: "Il termine finisce già allora.", EN: "The term ends then already."},
	"deadline_peremptory":       {IT: "Il termine è perentorio: di norma nessuno può spostarlo o sospenderlo.", EN: "The term is peremptory: as a rule nobody may move or suspend it."},
	"deadline_earlier":          {IT: "La nuova fine ({day}) viene prima di quella attuale: il termine si accorcia.", EN: "The new end ({day}) comes before the present one: the term grows shorter."},
	"deadline_day_off":          {IT: "L'ultimo giorno ({day}) non è lavorativo: {why}.", EN: "The last day ({day}) is not a working day: {why}."},
	"deadline_held_by_workflow": {IT: "Lo ha sospeso un'azione della procedura: di norma riprende con l'azione prevista.", EN: "An action of the procedure suspended it: as a rule the action for that resumes it."},
	"deadline_state_unknown":    {IT: "Stato sconosciuto: {state}. Ci sono: overdue, running, blocked, suspended.", EN: "Unknown state: {state}. There are: overdue, running, blocked, suspended."},
	"deadline_scope_unknown":    {IT: "Ambito sconosciuto: {scope}. Ci sono: mine, body.", EN: "Unknown scope: {scope}. There are: mine, body."},

	// outages
	"outage_id":        {IT: "L'identificativo ha da 1 a 64 lettere, cifre, punti o trattini.", EN: "The id has 1 to 64 letters, digits, dots or dashes."},
	"outage_span":      {IT: "La fine deve venire dopo l'inizio.", EN: "The end must come after the beginning."},
	"outage_future":    {IT: "Si registra quando è finito: la fine non può essere nel futuro.", EN: "It is recorded when it has ended: the end cannot be in the future."},
	"outage_bodies":    {IT: "L'ente «{body}» non è tra quelli della SUA.", EN: "The body “{body}” is not one of the SUA's."},
	"outage_overlaps":  {IT: "Questo malfunzionamento si sovrappone a uno già registrato ({id}): il tempo conterebbe due volte.", EN: "This outage overlaps one recorded already ({id}): the time would count twice."},
	"outage_suspended": {IT: "È sospeso: riprenderà con il tempo che mancava.", EN: "It is suspended: it will go on with the time that was left."},
	"outage_expired":   {IT: "È scaduto prima che il malfunzionamento fosse registrato: la procedura è andata avanti e va riaperta con un atto.", EN: "It was over before the outage was recorded: the procedure has gone on and must be reopened by an act."},
	"outage_too_late":  {IT: "Anche prorogato sarebbe già finito ({day}): decide il dirigente.", EN: "Even extended it would be over ({day}): the director decides."},
	"outage_follows":   {IT: "Segue un'altra data e si sposta con quella.", EN: "It follows another date and moves with that."},
	"outage_failed":    {IT: "Non è stato possibile prorogarlo per un guasto: ripeti la registrazione con lo stesso identificativo.", EN: "A fault prevented its extension: record it again with the same id."},

	// forecasts
	"forecast_history":     {IT: "Al ritmo delle procedure concluse ({cases}) finirebbe verso {day}: in tempo.", EN: "At the pace of the procedures that ended ({cases}) it would end about {day}: in time."},
	"forecast_history_bad": {IT: "Al ritmo delle procedure concluse ({cases}) finirebbe verso {day}: {late} giorni oltre il termine.", EN: "At the pace of the procedures that ended ({cases}) it would end about {day}: {late} days beyond the term."},
	"forecast_plan":        {IT: "Al ritmo tenuto finora (fase {stage} di {stages}) finirebbe verso {day}: in tempo.", EN: "At the pace so far (stage {stage} of {stages}) it would end about {day}: in time."},
	"forecast_plan_bad":    {IT: "Al ritmo tenuto finora (fase {stage} di {stages}) finirebbe verso {day}: {late} giorni oltre il termine.", EN: "At the pace so far (stage {stage} of {stages}) it would end about {day}: {late} days beyond the term."},

	"days_wrong": {IT: "{field}: serve un numero di giorni, da 1 in su, che si possa contare.", EN: "{field}: a number of days that can be counted, from 1 on, is needed."},
}

// refuse makes a refusal; params are pairs of name and value.
func refuse(code string, params ...string) *Refusal {
	r := &Refusal{Code: code, Text: say(code, params)}
	if len(params) > 0 {
		r.Params = map[string]string{}
		for i := 0; i+1 < len(params); i += 2 {
			r.Params[params[i]] = params[i+1]
		}
	}
	return r
}

// problem makes a fault of the request.
func problem(pointer, code string, params ...string) Problem {
	return Problem{Pointer: pointer, Code: code, Text: say(code, params)}
}

func say(code string, params []string) Text {
	t, ok := texts[code]
	if !ok {
		return Text{IT: code, EN: code}
	}
	var it, en []string
	given := map[string]string{}
	for i := 0; i+1 < len(params); i += 2 {
		given[params[i]] = params[i+1]
	}
	for name, value := range given {
		if strings.HasSuffix(name, "_en") {
			continue
		}
		english, ok := given[name+"_en"]
		if !ok {
			english = value
		}
		it, en = append(it, "{"+name+"}", value), append(en, "{"+name+"}", english)
	}
	return Text{IT: strings.NewReplacer(it...).Replace(t.IT), EN: strings.NewReplacer(en...).Replace(t.EN)}
}
